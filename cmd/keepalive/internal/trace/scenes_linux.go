package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// A scene is a network namespace that is being traced. The sockets that trace opened in it
// stay in it, whichever thread uses them.
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

// matches reports whether --peer selects an end of a segment of this device.
func (s *scene) matches(a netip.AddrPort, device int) bool {
	return endpoint.MatchesAny(s.peer, withZone(a, ""), uint32(device)) // a zone may be asked for by its number
}

// scenes opens the selected namespaces. incomplete has the exit code for the namespaces that
// could not be opened.
func (o *options) scenes(stderr io.Writer) (found []*scene, incomplete, failure error) {
	namespaces, hidden, err := o.Namespaces()
	if err != nil {
		return nil, nil, err
	}
	n := sockets.Notes{HiddenNetNS: hidden}
	if o.PID != 0 && !o.SeveralNetNS() {
		more, err := o.elsewhere(namespaces, &n)
		if err != nil {
			return nil, nil, err
		}
		namespaces = append(namespaces, more...)
	}
	var zones sockets.Zones
	for _, ns := range namespaces {
		s, err := o.scene(ns, &zones)
		switch {
		case err == nil:
			found = append(found, s)
		case errors.Is(err, endpoint.ErrNoInterface): // so that no connection can match there
		case errors.Is(err, fs.ErrNotExist) && o.NetNS == "": // it has vanished
		case o.AllNetNS && errors.Is(err, fs.ErrPermission):
			n.Refused = append(n.Refused, err)
		default:
			closeScenes(found)
			return nil, nil, sockets.NamespaceError(err)
		}
	}
	n.NoInterface = zones.Missing()
	n.Print(stderr)
	if len(found) == 0 {
		return nil, nil, exit.Join(n.Unseen(), n.Lost(), exit.Said(exit.NothingError(errors.New("there is no network namespace to look into"))))
	}
	return found, exit.Join(n.Unseen(), n.Lost()), nil
}

// elsewhere returns the other namespaces in which the process of --pid has sockets.
func (o *options) elsewhere(known []*netns.Namespace, n *sockets.Notes) (found []*netns.Namespace, err error) {
	missing := sockets.OfProcess(o.PID)
	has := func(ns *netns.Namespace) bool {
		opened, err := sockets.OpenNamespace(ns)
		if err != nil {
			return false
		}
		defer opened.Close()
		before := len(missing)
		missing.Find(opened)
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
	if n.Nowhere = len(missing); n.Nowhere > 0 {
		n.HiddenNetNS = append(n.HiddenNetNS, hidden...)
	}
	return found, nil
}

func closeScenes(scenes []*scene) {
	for _, s := range scenes {
		s.close()
	}
}

func (o *options) scene(ns *netns.Namespace, zones *sockets.Zones) (*scene, error) {
	opened, err := sockets.OpenNamespace(ns)
	if err != nil {
		return nil, err
	}
	s := &scene{netns: terminal.Printable(ns.String())}
	s.links.Enter(opened)
	if err := o.prepare(s, zones); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (o *options) prepare(s *scene, zones *sockets.Zones) error {
	peers, err := zones.Known(s.links.NetNS, o.peers)
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
	return s.links.NetNS.Do(func() (err error) {
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
