package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// A scene is a network namespace that is watched. Its sockets stay in there, whoever
// uses them.
type scene struct {
	netns   string // its name
	capture *capture.Capture
	diag    *sockdiag.Conn
	peer    []endpoint.Endpoint // those of --peer that may be there
	links   interfaces
}

func (s *scene) close() {
	if s.capture != nil {
		s.capture.Close()
	}
	if s.diag != nil {
		s.diag.Close()
	}
	s.links.close()
}

// matches tells whether --peer wants an end of a segment that is of this device.
func (s *scene) matches(a netip.AddrPort, device int) bool {
	return endpoint.MatchesAny(s.peer, withZone(a, ""), uint32(device)) // a zone may be asked for by its number
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
	var zones zones
	for _, ns := range namespaces {
		s, err := o.scene(ns, &zones)
		switch {
		case err == nil:
			found = append(found, s)
		case errors.Is(err, endpoint.ErrNoInterface): // so that no connection can match there
		case errors.Is(err, fs.ErrNotExist) && o.netns == "": // it has vanished
		case o.allNetns && errors.Is(err, fs.ErrPermission):
			n.refused = append(n.refused, err)
		default:
			closeScenes(found)
			return nil, nil, netnsError(err)
		}
	}
	n.noInterface = zones.missing()
	n.print(stderr)
	if len(found) == 0 {
		return nil, nil, several(n.unseen(), n.lost(), said(nothingError(errors.New("there is no network namespace to look into"))))
	}
	return found, several(n.unseen(), n.lost()), nil
}

// elsewhere are the namespaces beside those that the process of --pid has sockets of.
func (o *traceOptions) elsewhere(known []*netns.Namespace, n *notes) (found []*netns.Namespace, err error) {
	missing := tcpSockets(o.pid)
	has := func(ns *netns.Namespace) bool {
		opened, err := openNamespace(ns)
		if err != nil {
			return false
		}
		defer opened.close()
		before := len(missing)
		missing.find(opened)
		return len(missing) < before
	}
	for _, ns := range known {
		has(ns)
	}
	if len(missing) == 0 {
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
	if n.nowhere = len(missing); n.nowhere > 0 {
		n.hiddenNetns = append(n.hiddenNetns, hidden...)
	}
	return found, nil
}

func closeScenes(scenes []*scene) {
	for _, s := range scenes {
		s.close()
	}
}

func (o *traceOptions) scene(ns *netns.Namespace, zones *zones) (*scene, error) {
	opened, err := openNamespace(ns)
	if err != nil {
		return nil, err
	}
	s := &scene{netns: printable(ns.String())}
	s.links.enter(opened)
	if err := o.prepare(s, zones); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (o *traceOptions) prepare(s *scene, zones *zones) error {
	peers, err := zones.known(s.links.netns, o.peers)
	if err != nil {
		return err
	}
	for _, text := range peers {
		e, err := endpoint.Parse(text)
		if err != nil {
			return err
		}
		s.peer = append(s.peer, e)
	}
	return s.links.netns.do(func() (err error) {
		if s.peer, err = endpoint.WithDevices(s.peer); err != nil {
			return err
		}
		s.links.loopback = loopbackIndex()
		if s.capture, err = o.open(); err != nil {
			return err
		}
		if s.diag, err = sockdiag.Open(); err != nil {
			return fmt.Errorf("which sockets are of this machine: %w", err)
		}
		return nil
	})
}
