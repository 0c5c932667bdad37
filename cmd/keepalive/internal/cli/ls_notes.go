package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// notes are what a reader has to know of a list.
type notes struct {
	source     string
	listed     int   // sockets
	noOwner    int   // sockets whose process is not known
	denied     bool  // and there are processes that could not be looked at
	unowned    int   // sockets that no process has open, so that nobody can read their settings
	noSettings int   // sockets whose process is known, but not their settings
	why        error // the first reason for that

	noInterface error   // that an address of --local or --peer names, in any namespace
	hiddenFDs   bool    // threads of --pid have descriptors of their own
	nowhere     int     // TCP sockets of --pid that no table had
	refused     []error // why namespaces were not looked into
	hiddenNetns []error // why the namespaces of processes are not known
}

// forRoot is what it takes to look at other users' processes. Who has that already may
// be root of a user namespace, whose capabilities count in it only, or be held back by a
// sandbox (ptrace(2), ptrace access mode checking).
func forRoot() string {
	if mayTrace() {
		return "more than CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which keepalive has here: to have them in the user namespace of that process, too, and no sandbox or security module that refuses it"
	}
	return "root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
}

func (n *notes) print(w io.Writer) {
	if n.source == "/proc/net/tcp" {
		say(w, "note: the kernel refuses sock_diag; this is what /proc/net/tcp shows, where a socket may be missing, or there twice, while others come and go")
	}
	if len(n.refused) > 0 {
		more := ""
		if n := len(n.refused) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more)", n)
		}
		say(w, "note: not looked into: %v%s; nsenter can enter those of one's own user namespaces", printable(n.refused[0].Error()), more)
	}
	if n.hiddenFDs {
		say(w, "note: threads of that process have descriptors of their own (CLONE_FILES), which were not looked into")
	}
	if n.noInterface != nil {
		say(w, "note: %v", printable(n.noInterface.Error()))
	}
	if n.nowhere > 0 {
		say(w, "note: %s of that process in no table that can be seen from here: of another network namespace, not yet connected, or reset and not yet closed", sockets(n.nowhere))
	}
	if hidden := len(n.hiddenNetns); hidden > 0 {
		say(w, "note: the network namespace of processes (%d) cannot be seen from here: %v; it takes %s", hidden, printable(n.hiddenNetns[0].Error()), forRoot())
	}
	switch {
	case n.noOwner == 0:
	case n.denied:
		say(w, "note: ? on %s: the process belongs to another user or is not visible from here; it takes %s", sockets(n.noOwner), forRoot())
	default:
		say(w, "note: ? on %s: no process that is visible from here has it open: it is the kernel's own, or of another PID namespace, or was opened just now", sockets(n.noOwner))
	}
	if n.unowned > 0 {
		say(w, "note: settings ? on %s that no process has open: not yet accepted, or closed already", sockets(n.unowned))
	}
	switch {
	case n.noSettings == 0:
	case errors.Is(n.why, errors.ErrUnsupported):
		say(w, "note: settings ? on %s: reading those of other processes takes Linux 5.9 and a sandbox that allows pidfd_getfd", sockets(n.noSettings))
	case errors.Is(n.why, fs.ErrPermission):
		say(w, "note: settings ? on %s: reading those of other processes takes %s, or being their user where Yama allows it", sockets(n.noSettings), forRoot())
	default:
		say(w, "note: settings ? on %s: %v", sockets(n.noSettings), n.why)
	}
}

// unseen is which exit code it means that not all namespaces were looked into.
func (n *notes) unseen() error {
	if len(n.refused) > 0 || len(n.hiddenNetns) > 0 {
		return said(deniedError(errors.New("not all network namespaces were looked into")))
	}
	return nil
}

// lost is which exit code it means that sockets of a process, or an interface, were not
// found, or not looked for.
func (n *notes) lost() error {
	var errs []error
	if n.nowhere > 0 {
		errs = append(errs, said(unknownError(errors.New("not all sockets of the process were found"))))
	}
	if n.hiddenFDs {
		errs = append(errs, said(unknownError(errors.New("not all descriptors of the process were looked into"))))
	}
	if n.noInterface != nil {
		errs = append(errs, said(nothingError(n.noInterface)))
	}
	return several(errs...)
}

// result is which exit code a list has, after print.
func (n *notes) result(s *selection) error {
	errs := []error{n.unseen(), n.lost()}
	switch {
	case n.noOwner > 0 && n.denied, n.noSettings > 0 && errors.Is(n.why, fs.ErrPermission):
		errs = append(errs, said(deniedError(errors.New("not all settings and processes can be seen"))))
	case n.noOwner > 0, n.noSettings > 0:
		errs = append(errs, said(unknownError(errors.New("not all settings and processes are known"))))
	}
	if n.unowned > 0 {
		errs = append(errs, said(unknownError(errors.New("settings are not known"))))
	}
	if n.listed == 0 && s.narrowed {
		errs = append(errs, nothingError(errors.New("no socket matches")))
	}
	return several(errs...)
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprintf("%d sockets", n)
}
