package cli

import (
	"errors"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
)

// zones are the addresses of --local and --peer that name an interface, by their text,
// with the error of those whose interface was in no namespace so far.
type zones map[string]error

// in is the filter for a namespace: without the addresses whose interface it does not
// have. The error wraps endpoint.ErrNoInterface if none is left.
func (z *zones) in(ns opened, f inspect.Filter) (inspect.Filter, error) {
	f.Namespace = ns.file
	var err error
	if f.Local, err = z.known(ns, f.Local); err != nil {
		return f, err
	}
	f.Peer, err = z.known(ns, f.Peer)
	return f, err
}

func (z *zones) known(ns opened, texts []string) (known []string, err error) {
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
			*z = zones{}
		}
		err = ns.do(func() error {
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

// missing is the error of an address whose interface is in no namespace.
func (z *zones) missing() error {
	for _, err := range *z {
		if err != nil {
			return err
		}
	}
	return nil
}
