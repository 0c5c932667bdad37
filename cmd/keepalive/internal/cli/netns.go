package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// A place is where to look: a process, network namespaces, or this one.
type place struct {
	pid      int // 0: any process
	netns    string
	allNetns bool
}

const netnsHelp = `

--pid looks into the network namespace of that process, into this one, and into
others that it has sockets of.
--netns looks into another: a name as ip netns has it, a path, or the number of
a process in it. --all-netns looks into all that a process is in which can be
seen from here, and all that are mounted (as those of ip netns and docker are);
one that only a descriptor or a socket keeps is not found. Another namespace
takes CAP_SYS_ADMIN, here and in the user namespace that owns it.`

func (p *place) addFlags(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	f.IntVar(&p.pid, "pid", 0, "only "+what+" that this process has open")
	f.StringVar(&p.netns, "netns", "", "only "+what+" of this network namespace: NAME, PATH or PID")
	f.BoolVar(&p.allNetns, "all-netns", false, what+" of all network namespaces that can be seen from here")
	cmd.Long += netnsHelp
}

func (p *place) parse(cmd *cobra.Command) error {
	if cmd.Flags().Changed("pid") && p.pid <= 0 {
		return usageError(fmt.Errorf("--pid %d: a process number is greater than 0", p.pid))
	}
	return exclusive(cmd, "netns", "all-netns")
}

// severalNetns tells that it matters which namespace something is of.
func (p *place) severalNetns() bool { return p.netns != "" || p.allNetns }

// namespaces are those to look into. hidden is why those of processes cannot be seen.
func (p *place) namespaces() (found []*netns.Namespace, hidden []error, err error) {
	var n *netns.Namespace
	switch {
	case p.allNetns:
		if found, hidden, err = netns.All(); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			err = deniedError(fmt.Errorf("--all-netns takes a /proc to look into: %w", err))
		}
		return found, hidden, err
	case p.netns != "":
		if n, err = netns.Find(p.netns); err != nil {
			return nil, nil, netnsError(fmt.Errorf("--netns %w", err))
		}
		return []*netns.Namespace{n}, nil, nil
	case p.pid != 0:
		n, err = netns.OfProcess(p.pid)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return nil, nil, netnsError(fmt.Errorf("--pid %d: %w", p.pid, err))
		case !n.Own:
			// A socket may be from elsewhere: those that systemd hands to a service
			// with PrivateNetwork= are of its own namespace.
			return []*netns.Namespace{n, netns.Own()}, nil, nil
		}
	}
	return []*netns.Namespace{netns.Own()}, nil, nil
}

// netnsError gives an error of package netns its exit code.
func netnsError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothingError(err)
	case errors.Is(err, fs.ErrPermission):
		return deniedError(err)
	case errors.Is(err, netns.ErrNoNamespace):
		return usageError(err)
	}
	return err
}

// An opened namespace is one that is being looked into.
type opened struct {
	*netns.Namespace
	file *os.File // nil: the own one
}

// openNamespace opens one, to be closed.
func openNamespace(ns *netns.Namespace) (opened, error) {
	file, err := ns.Open()
	return opened{ns, file}, err
}

func (o opened) close() { o.file.Close() } // nil too

// do runs f on a thread that is in the namespace.
func (o opened) do(f func() error) error { return netns.Do(o.file, f) }
