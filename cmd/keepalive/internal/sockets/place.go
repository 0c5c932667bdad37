package sockets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// A Place says where to look for sockets: in the namespaces of a process, in given network
// namespaces, or in the one of this program.
type Place struct {
	PID      int // 0: any process
	NetNS    string
	AllNetNS bool
}

const netnsHelp = `

--pid looks into the network namespace of that process, into this one, and into
others that it has sockets of.
--netns looks into another: a name as ip netns has it, a path, or the number of
a process in it. --all-netns looks into all that a process is in which can be
seen from here, and all that are mounted (as those of ip netns and docker are);
one that only a descriptor or a socket keeps is not found. Another namespace
takes CAP_SYS_ADMIN, here and in the user namespace that owns it.`

// AddFlags adds --pid, --netns and --all-netns. what is the word for the listed objects in
// the help: sockets or connections.
func (p *Place) AddFlags(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	f.IntVar(&p.PID, "pid", 0, "only "+what+" that this process has open")
	f.StringVar(&p.NetNS, "netns", "", "only "+what+" of this network namespace: NAME, PATH or PID")
	f.BoolVar(&p.AllNetNS, "all-netns", false, what+" of all network namespaces that can be seen from here")
	cmd.Long += netnsHelp
}

// Parse returns an error for flags that exclude each other, and for a negative process number.
func (p *Place) Parse(cmd *cobra.Command) error {
	if cmd.Flags().Changed("pid") && p.PID <= 0 {
		return exit.UsageError(fmt.Errorf("--pid %d: a process number is greater than 0", p.PID))
	}
	return flags.Exclusive(cmd, "netns", "all-netns")
}

// SeveralNetNS reports whether the list may have sockets of several namespaces, so that it
// must show the namespace of each.
func (p *Place) SeveralNetNS() bool { return p.NetNS != "" || p.AllNetNS }

// Namespaces returns the namespaces to look into. hidden has the reasons why the namespaces of
// some processes cannot be read.
func (p *Place) Namespaces() (found []*netns.Namespace, hidden []error, err error) {
	var n *netns.Namespace
	switch {
	case p.AllNetNS:
		if found, hidden, err = netns.All(); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			err = exit.DeniedError(fmt.Errorf("--all-netns takes a /proc to look into: %w", err))
		}
		return found, hidden, err
	case p.NetNS != "":
		if n, err = netns.Find(p.NetNS); err != nil {
			return nil, nil, NamespaceError(fmt.Errorf("--netns %w", err))
		}
		return []*netns.Namespace{n}, nil, nil
	case p.PID != 0:
		n, err = netns.OfProcess(p.PID)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return nil, nil, NamespaceError(fmt.Errorf("--pid %d: %w", p.PID, err))
		case !n.Own:
			// A socket may be from elsewhere: those that systemd hands to a service
			// with PrivateNetwork= are of its own namespace.
			return []*netns.Namespace{n, netns.Own()}, nil, nil
		}
	}
	return []*netns.Namespace{netns.Own()}, nil, nil
}

// NamespaceError returns an error of package netns with its exit code.
func NamespaceError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exit.NothingError(err)
	case errors.Is(err, fs.ErrPermission):
		return exit.DeniedError(err)
	case errors.Is(err, netns.ErrNoNamespace):
		return exit.UsageError(err)
	}
	return err
}

// A Namespace is a network namespace whose sockets are listed.
type Namespace struct {
	*netns.Namespace
	file *os.File // nil: the own one
}

// OpenNamespace opens a namespace. The caller closes it.
func OpenNamespace(ns *netns.Namespace) (Namespace, error) {
	file, err := ns.Open()
	return Namespace{ns, file}, err
}

// Close closes the file of the namespace. The namespace itself is not changed.
func (o Namespace) Close() { o.file.Close() } // nil too

// Do runs f on a thread in the namespace.
func (o Namespace) Do(f func() error) error { return netns.Do(o.file, f) }
