package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

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
		return nil, nil, errors.Join(n.unseen(), said{nothingError{errors.New("there is no network namespace to look into")}})
	}
	return found, n.unseen(), nil
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
