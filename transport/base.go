package transport

import (
	"errors"
	"net"
	"net/http"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// base is a clone of the Base with the dialer and what the plan says.
func (o *Options) base() (*http.Transport, error) {
	var t *http.Transport
	if o.Base != nil {
		t = o.Base.Clone()
	} else {
		t = standard()
		t.DialContext = nil // ours
		t.MaxIdleConnsPerHost = t.MaxIdleConns
	}
	if err := o.setDialer(t); err != nil {
		return nil, err
	}
	if o.Plan != nil && o.Plan.Heartbeat != nil {
		follow(t, o.Plan.Heartbeat)
	}
	return t, nil
}

// setDialer gives t the Dialer, or one where it has none.
func (o *Options) setDialer(t *http.Transport) error {
	d := o.Dialer
	switch {
	case d != nil:
	case t.DialContext != nil:
		return nil
	default:
		cfg, _, err := sockopt.Recommended().Nearest()
		if errors.Is(err, errors.ErrUnsupported) { // no keepalive at all (js, wasip1, Plan 9)
			t.DialContext = new(net.Dialer).DialContext
			return nil
		} else if err != nil {
			return err
		}
		d = &dialer.Dialer{Config: cfg}
	}
	if err := d.Config.Validate(); err != nil {
		return err
	}
	t.DialContext = d.DialContext
	t.ForceAttemptHTTP2 = true // a custom DialContext switches it off
	return nil
}

// follow applies what a plan says about a path that ignores keepalive probes.
func follow(t *http.Transport, h *align.Heartbeat) {
	if h.IdleConnTimeout > 0 && (t.IdleConnTimeout == 0 || t.IdleConnTimeout > h.IdleConnTimeout) {
		t.IdleConnTimeout = h.IdleConnTimeout
	}
	if h.Every > 0 {
		pings := http.HTTP2Config{}
		if t.HTTP2 != nil {
			pings = *t.HTTP2
		}
		if pings.SendPingTimeout == 0 || pings.SendPingTimeout > h.Every {
			pings.SendPingTimeout = h.Every
		}
		t.HTTP2 = &pings
	}
}
