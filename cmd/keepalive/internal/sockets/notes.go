package sockets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// Notes collect what a reader of the list must know to interpret it.
type Notes struct {
	Source     string
	Listed     int   // sockets
	NoOwner    int   // sockets whose process is not known
	denied     bool  // and there are processes that could not be looked at
	unowned    int   // sockets that no process has open, so that nobody can read their settings
	noSettings int   // sockets whose process is known, but not their settings
	why        error // the first reason for that

	NoInterface error   // that an address of --local or --peer names, in any namespace
	hiddenFDs   bool    // threads of --pid have descriptors of their own
	Nowhere     int     // TCP sockets of --pid that no table had
	Refused     []error // why namespaces were not looked into
	HiddenNetNS []error // why the namespaces of processes are not known
}

// ForRoot returns advice on how to read other users' processes. A user who has the
// capabilities already may be root of a user namespace only, or be restricted by a sandbox
// (ptrace(2), ptrace access mode checking).
func ForRoot() string {
	if mayTrace() {
		return "more than CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which keepalive has here: to have them in the user namespace of that process, too, and no sandbox or security module that refuses it"
	}
	return "root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
}

// Print writes each note on a line of its own.
func (n *Notes) Print(w io.Writer) {
	if n.Source == "/proc/net/tcp" {
		terminal.Say(w, "note: the kernel refuses sock_diag; this is what /proc/net/tcp shows, where a socket may be missing, or there twice, while others come and go")
	}
	if len(n.Refused) > 0 {
		more := ""
		if n := len(n.Refused) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more)", n)
		}
		terminal.Say(w, "note: not looked into: %v%s; nsenter can enter those of one's own user namespaces", terminal.Printable(exit.Text(n.Refused[0])), more)
	}
	if n.hiddenFDs {
		terminal.Say(w, "note: threads of that process have descriptors of their own (CLONE_FILES), which were not looked into")
	}
	if n.NoInterface != nil {
		terminal.Say(w, "note: %v", terminal.Printable(exit.Text(n.NoInterface)))
	}
	if n.Nowhere > 0 {
		terminal.Say(w, "note: %s of that process in no table that can be seen from here: of another network namespace, not yet connected, or reset and not yet closed", sockets(n.Nowhere))
	}
	if hidden := len(n.HiddenNetNS); hidden > 0 {
		terminal.Say(w, "note: the network namespace of processes (%d) cannot be seen from here: %v; it takes %s", hidden, terminal.Printable(exit.Text(n.HiddenNetNS[0])), ForRoot())
	}
	switch {
	case n.NoOwner == 0:
	case n.denied:
		terminal.Say(w, "note: ? on %s: the process belongs to another user or is not visible from here; it takes %s", sockets(n.NoOwner), ForRoot())
	default:
		terminal.Say(w, "note: ? on %s: no process that is visible from here has it open: it is the kernel's own, or of another PID namespace, or was opened just now", sockets(n.NoOwner))
	}
	if n.unowned > 0 {
		terminal.Say(w, "note: settings ? on %s that no process has open: not yet accepted, or closed already", sockets(n.unowned))
	}
	switch {
	case n.noSettings == 0:
	case errors.Is(n.why, errors.ErrUnsupported):
		terminal.Say(w, "note: settings ? on %s: reading those of other processes takes Linux 5.9 and a sandbox that allows pidfd_getfd", sockets(n.noSettings))
	case errors.Is(n.why, fs.ErrPermission):
		terminal.Say(w, "note: settings ? on %s: reading those of other processes takes %s, or being their user where Yama allows it", sockets(n.noSettings), ForRoot())
	default:
		terminal.Say(w, "note: settings ? on %s: %v", sockets(n.noSettings), n.why)
	}
}

// Unseen returns an error with the exit code for network namespaces that could not be read,
// nil if all were read.
func (n *Notes) Unseen() error {
	if len(n.Refused) > 0 || len(n.HiddenNetNS) > 0 {
		return exit.Said(exit.DeniedError(errors.New("not all network namespaces were looked into")))
	}
	return nil
}

// Lost returns an error with the exit code for sockets of a process or an interface that were
// not found or could not be looked for, nil if there are none.
func (n *Notes) Lost() error {
	var errs []error
	if n.Nowhere > 0 {
		errs = append(errs, exit.Said(exit.UnknownError(errors.New("not all sockets of the process were found"))))
	}
	if n.hiddenFDs {
		errs = append(errs, exit.Said(exit.UnknownError(errors.New("not all descriptors of the process were looked into"))))
	}
	if n.NoInterface != nil {
		errs = append(errs, exit.Said(exit.NothingError(n.NoInterface)))
	}
	return exit.Join(errs...)
}

// Result returns an error with the exit code of the list, nil for success. It does not repeat
// what Print has written.
func (n *Notes) Result(s *Selection) error {
	errs := []error{n.Unseen(), n.Lost()}
	switch {
	case n.NoOwner > 0 && n.denied, n.noSettings > 0 && errors.Is(n.why, fs.ErrPermission):
		errs = append(errs, exit.Said(exit.DeniedError(errors.New("not all settings and processes can be seen"))))
	case n.NoOwner > 0, n.noSettings > 0:
		errs = append(errs, exit.Said(exit.UnknownError(errors.New("not all settings and processes are known"))))
	}
	if n.unowned > 0 {
		errs = append(errs, exit.Said(exit.UnknownError(errors.New("settings are not known"))))
	}
	if n.Listed == 0 && s.narrowed {
		errs = append(errs, exit.NothingError(errors.New("no socket matches")))
	}
	return exit.Join(errs...)
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprintf("%d sockets", n)
}
