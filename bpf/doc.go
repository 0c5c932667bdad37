// Package bpf reads and changes the keepalive settings of all TCP sockets of a Linux machine
// with BPF iterators, which run in the kernel: no process is traced, and no socket is
// borrowed.
package bpf
