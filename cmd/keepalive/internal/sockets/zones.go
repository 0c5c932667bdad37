package sockets

import (
	"errors"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
)

// Zones maps the text of each address of --local and --peer that names an interface to an
// error, which is not nil as long as no namespace had the interface.
type Zones map[string]error

// in returns the filter for a namespace, without the addresses whose interface the namespace
// does not have. The error wraps endpoint.ErrNoInterface if no address is left.
func (z *Zones) in(ns Namespace, f inspect.Filter) (inspect.Filter, error) {
	f.Namespace = ns.file
	var err error
	if f.Local, err = z.Known(ns, f.Local); err != nil {
		return f, err
	}
	f.Peer, err = z.Known(ns, f.Peer)
	return f, err
}

// Known returns the addresses that name no interface, or an interface that the namespace has.
// The error wraps endpoint.ErrNoInterface if no address is left.
func (z *Zones) Known(ns Namespace, texts []string) (known []string, err error) {
	for _, text := range texts {
		e, parseErr := endpoint.Parse(text)
		if parseErr != nil {
			return nil, parseErr
		}
		if e.Zone == "" {
			known = append(known, text)
			continue
		}
		if *z == nil {
			*z = Zones{}
		}
		err = ns.Do(func() error {
			_, err := endpoint.WithDevices([]endpoint.Endpoint{e})
			return err
		})
		seen, before := (*z)[text]
		switch {
		case err == nil:
			known = append(known, text)
			(*z)[text] = nil
		case !errors.Is(err, endpoint.ErrNoInterface):
			return nil, err
		case !before || seen != nil:
			(*z)[text] = err
		}
	}
	if len(known) > 0 || len(texts) == 0 {
		return known, nil
	}
	return nil, err
}

// Missing returns the error of an address whose interface is in no namespace.
func (z *Zones) Missing() error {
	for _, err := range *z {
		if err != nil {
			return err
		}
	}
	return nil
}
