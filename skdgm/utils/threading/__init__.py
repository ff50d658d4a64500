"""Threads, processes and the call stack."""
