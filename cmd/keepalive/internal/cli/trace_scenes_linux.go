package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// A scene is a network namespace that is watched. Its sockets stay in there, whoever
// uses them.
type scene struct {
	netns   string // its name
	capture *capture.Capture
	diag    *sockdiag.Conn
}

func (s *scene) close() {
	s.capture.Close()
	s.diag.Close()
}

// scenes opens those wanted. incomplete is the exit code of those that could not be.
func (o *traceOptions) scenes(stderr io.Writer) (found []*scene, incomplete, failure error) {
	namespaces, hidden, err := o.namespaces()
	if err != nil {
		return nil, nil, err
	}
	n := notes{hiddenNetns: hidden}
	if o.pid != 0 && !o.severalNetns() {
		more, err := o.elsewhere(namespaces, &n)
		if err != nil {
			return nil, nil, err
		}
		namespaces = append(namespaces, more...)
	}
	for _, ns := range namespaces {
		s, err := o.scene(ns)
		switch {
		case err == nil:
			found = append(found, s)
		case errors.Is(err, fs.ErrNotExist) && o.netns == "": // it has vanished
		case o.allNetns && errors.Is(err, fs.ErrPermission):
			n.refused = append(n.refused, err)
		default:
			closeScenes(found)
			return nil, nil, netnsError(err)
		}
	}
	n.print(stderr)
	if len(found) == 0 {
		return nil, nil, several(n.unseen(), said{nothingError{errors.New("there is no network namespace to look into")}})
	}
	return found, several(n.unseen(), n.lost()), nil
}

// elsewhere are the namespaces beside those that the process of --pid has sockets of.
func (o *traceOptions) elsewhere(known []*netns.Namespace, n *notes) (found []*netns.Namespace, err error) {
	l := lister{missing: tcpSockets(o.pid)}
	has := func(ns *netns.Namespace) bool {
		file, err := ns.Open()
		if err != nil {
			return false
		}
		defer file.Close() // nil too
		before := len(l.missing)
		l.find(file)
		return len(l.missing) < before
	}
	for _, ns := range known {
		has(ns)
	}
	if len(l.missing) == 0 {
		return nil, nil
	}
	all, hidden, err := netns.All()
	if err != nil {
		return nil, err
	}
	for _, ns := range all {
		if !slices.ContainsFunc(known, func(k *netns.Namespace) bool { return k.Inode == ns.Inode }) && has(ns) {
			found = append(found, ns)
		}
	}
	if n.nowhere = len(l.missing); n.nowhere > 0 {
		n.hiddenNetns = append(n.hiddenNetns, hidden...)
	}
	return found, nil
}

func closeScenes(scenes []*scene) {
	for _, s := range scenes {
		s.close()
	}
}

func (o *traceOptions) scene(ns *netns.Namespace) (*scene, error) {
	file, err := ns.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close() // nil too
	s := &scene{netns: printable(ns.String())}
	err = netns.Do(file, func() (err error) {
		if s.capture, err = o.open(); err != nil {
			return err
		}
		if s.diag, err = sockdiag.Open(); err != nil {
			s.capture.Close()
			return fmt.Errorf("which sockets are of this machine: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
