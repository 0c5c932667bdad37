package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// notes are what a reader has to know of a list.
type notes struct {
	source     inspect.Source
	noOwner    int   // sockets whose process is not known
	unowned    int   // sockets that no process has open, so that nobody can read their settings
	noSettings int   // sockets whose process is known, but not their settings
	why        error // the first reason for that
}

const forRoot = "root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"

func (n notes) print(w io.Writer) {
	if n.source == inspect.ProcNet {
		fmt.Fprintln(w, "note: the kernel refuses sock_diag; this is what /proc/net/tcp shows")
	}
	if n.noOwner > 0 {
		fmt.Fprintf(w, "note: ? on %s: the process belongs to another user or is not visible from here; %s would show it\n", sockets(n.noOwner), forRoot)
	}
	if n.unowned > 0 {
		fmt.Fprintf(w, "note: settings ? on %s that no process has open: not yet accepted, or closed already\n", sockets(n.unowned))
	}
	switch {
	case n.noSettings == 0:
	case errors.Is(n.why, errors.ErrUnsupported):
		fmt.Fprintf(w, "note: settings ? on %s: reading those of other processes takes Linux 5.9 and a sandbox that allows pidfd_getfd\n", sockets(n.noSettings))
	case errors.Is(n.why, fs.ErrPermission):
		fmt.Fprintf(w, "note: settings ? on %s: reading those of other processes takes %s, or being their user where Yama allows it\n", sockets(n.noSettings), forRoot)
	default:
		fmt.Fprintf(w, "note: settings ? on %s: %v\n", sockets(n.noSettings), n.why)
	}
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprintf("%d sockets", n)
}
