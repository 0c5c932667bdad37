// Package endpoint parses conditions for one end of a connection, such as 10.0.0.0/8:443.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ErrNoInterface means that the network namespace has no interface of that name.
var ErrNoInterface = errors.New("there is no interface")

// An Endpoint is a condition for one end of a connection, made by [Parse]. Its zero value
// matches every address.
type Endpoint struct {
	// Prefix contains the address; the zero value stands for all addresses. An
	// IPv4 prefix also contains IPv4-mapped addresses.
	Prefix netip.Prefix
	// Zone is the interface of a link-local address, by name or number. Only
	// sockets that are bound to it match; sockets with a link-local address
	// always are. "" stands for any.
	Zone string
	// The port lies between LowPort and HighPort. If both are 0, any port matches.
	LowPort, HighPort uint16

	// Device is the index of Zone in a network namespace; see [WithDevices].
	Device uint32
}

// Parse parses an address ("192.0.2.1", "2001:db8::1"), a prefix ("10.0.0.0/8"),
// a port (":443", ":8000-8099"), or both ("10.0.0.0/8:443",
// "[2001:db8::]/32:443", "*:443"). An IPv6 address may have a zone
// ("fe80::1%eth0", "[fe80::1%eth0]:443"). Host names are not resolved.
func Parse(s string) (Endpoint, error) {
	addr, port, err := splitEndpoint(s)
	if err != nil {
		return Endpoint{}, err
	}
	var e Endpoint
	if addr != "" && addr != "*" {
		if e.Prefix, e.Zone, err = parsePrefix(addr); err != nil {
			return Endpoint{}, fmt.Errorf("%q: %q is neither an IP address nor a prefix like 10.0.0.0/8 (host names are not resolved; a port is written :443)", s, addr)
		}
	}
	if port != "" && port != "*" {
		if e.LowPort, e.HighPort, err = parsePorts(port); err != nil {
			return Endpoint{}, fmt.Errorf("%q: %w", s, err)
		}
	}
	return e, nil
}

// splitEndpoint splits s at the colon before the port. An IPv6 address without
// brackets has no port.
func splitEndpoint(s string) (addr, port string, err error) {
	colon := strings.LastIndexByte(s, ':')
	bracket := strings.IndexByte(s, ']')
	switch {
	case s == "":
		return "", "", fmt.Errorf("%q is empty: want an address, a prefix, or :port", s)
	case strings.HasPrefix(s, "["):
		if bracket < 0 {
			return "", "", fmt.Errorf("%q has no ] after its address", s)
		}
		rest := s[bracket+1:]
		prefix, port, hasPort := strings.Cut(rest, ":")
		if prefix != "" && prefix[0] != '/' || hasPort && port == "" {
			return "", "", fmt.Errorf("%q: want /bits or :port after the ], not %q", s, rest)
		}
		return s[1:bracket] + prefix, port, nil
	case colon < 0, strings.IndexByte(s, ':') != colon && !strings.HasPrefix(s, "*"): // none, or IPv6
		return s, "", nil
	case colon == len(s)-1:
		return "", "", fmt.Errorf("%q has no port after the colon", s)
	}
	return s[:colon], s[colon+1:], nil
}

// parsePrefix parses a prefix; an address stands for the prefix that contains
// only it. IPv4-mapped addresses stand for IPv4.
func parsePrefix(s string) (p netip.Prefix, zone string, err error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, "", err
		}
		zone = a.Zone()
		a = a.WithZone("").Unmap()
		return netip.PrefixFrom(a, a.BitLen()), zone, nil
	}
	if p, err = netip.ParsePrefix(s); err != nil {
		return netip.Prefix{}, "", err
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), "", nil
}

func parsePorts(s string) (low, high uint16, err error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	for _, end := range []struct {
		text string
		port *uint16
	}{{first, &low}, {last, &high}} {
		n, err := strconv.ParseUint(end.text, 10, 16)
		if err != nil || n == 0 {
			return 0, 0, fmt.Errorf("port %q is not a number from 1 to 65535", end.text)
		}
		*end.port = uint16(n)
	}
	if low > high {
		return 0, 0, fmt.Errorf("ports %q: the first is greater than the last", s)
	}
	return low, high, nil
}

// Ports returns the bounds, and false if any port matches.
func (e *Endpoint) Ports() (low, high uint16, limited bool) {
	return e.LowPort, e.HighPort, e.HighPort != 0
}

// String returns a text that Parse accepts.
func (e Endpoint) String() string {
	s := ""
	switch {
	case !e.Prefix.IsValid():
		s = "*"
	case e.Prefix.IsSingleIP():
		s = e.Prefix.Addr().WithZone(e.Zone).String()
	default:
		s = e.Prefix.String()
	}
	low, high, limited := e.Ports()
	if !limited {
		return s
	}
	if addr, bits, isPrefix := strings.Cut(s, "/"); strings.Contains(addr, ":") {
		s = "[" + addr + "]"
		if isPrefix {
			s += "/" + bits
		}
	}
	s += ":" + strconv.Itoa(int(low))
	if high != low {
		s += "-" + strconv.Itoa(int(high))
	}
	return s
}

// Matches reports whether the endpoint matches the address. Zones are compared
// as text if both have one.
func (e *Endpoint) Matches(a netip.AddrPort) bool {
	low, high, limited := e.Ports()
	if limited && (a.Port() < low || a.Port() > high) {
		return false
	}
	addr := a.Addr()
	if zone := addr.Zone(); zone != "" {
		if e.Zone != "" && e.Zone != zone {
			return false
		}
		addr = addr.WithZone("") // no Prefix contains an address with a zone
	}
	if e.Prefix.Addr().Is4() {
		addr = addr.Unmap()
	}
	return !e.Prefix.IsValid() || e.Prefix.Contains(addr)
}

// WithDevices returns the endpoints with the indexes of their interfaces in the
// calling thread's network namespace. A missing interface is an error: a list of
// its sockets would be empty for the wrong reason.
func WithDevices(endpoints []Endpoint) ([]Endpoint, error) {
	hasZone := func(e Endpoint) bool { return e.Zone != "" }
	if !slices.ContainsFunc(endpoints, hasZone) {
		return endpoints, nil
	}
	endpoints = slices.Clone(endpoints)
	for i := range endpoints {
		e := &endpoints[i]
		if e.Zone == "" {
			continue
		}
		if device, err := net.InterfaceByName(e.Zone); err == nil {
			e.Device = uint32(device.Index)
			continue
		}
		n, err := strconv.Atoi(e.Zone)
		if err == nil {
			_, err = net.InterfaceByIndex(n)
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w named %s", *e, ErrNoInterface, e.Zone)
		}
		e.Device = uint32(n)
	}
	return endpoints, nil
}

// MatchesAny reports whether one of the endpoints matches the address of a socket that is
// bound to this device. Without endpoints everything matches.
func MatchesAny(endpoints []Endpoint, a netip.AddrPort, device uint32) bool {
	for i := range endpoints {
		if e := &endpoints[i]; e.Matches(a) && (e.Device == 0 || e.Device == device) {
			return true
		}
	}
	return len(endpoints) == 0
}
