package enforce

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// options is the number of options. Those of a rule are in the order of platform.Option.
const options = int(platform.UserTimeout) + 1

// layoutVersion changes with the structures below, so that no release reads the pins of
// another one wrongly.
const layoutVersion = 1

// pathSize is how much of the path of a control group is kept, with the byte of 0.
const pathSize = 1024

// A policyValue is a policy as the programs read it, the only value of a map.
type policyValue struct {
	Count   uint32
	Version uint32
	Path    [pathSize]byte
	Rules   [MaxRules]ruleValue
}

// A ruleValue is a rule. Addresses are IPv6, in network byte order; IPv4 is mapped.
type ruleValue struct {
	Conditions          uint32
	Mode                uint32
	MostSet, LeastSet   uint32 // bits of platform.Option
	Most, Least         [options]uint32
	Peer, Local         addressValue
	PeerLow, PeerHigh   uint32
	LocalLow, LocalHigh uint32
	Command             [commandSize]byte
	Name                [nameSize]byte
}

type addressValue struct{ Address, Mask [16]byte }

// The bits of Conditions.
const (
	byPeer = 1 << iota
	byPeerPort
	byLocal
	byLocalPort
	byCommand
)

// A socketValue is what is remembered about a socket. Accepted sockets inherit it.
type socketValue struct {
	Command [commandSize]byte
	Asked   uint32 // bits of the options that the program has set
	Values  [options]uint32
}

// encode translates a policy that is valid.
func encode(p Policy, cgroup string) (*policyValue, error) {
	v := &policyValue{Count: uint32(len(p.Rules)), Version: layoutVersion}
	if len(cgroup) >= pathSize {
		return nil, fmt.Errorf("the path of the control group is %d bytes long: want at most %d", len(cgroup), pathSize-1)
	}
	copy(v.Path[:], cgroup)
	for i := range p.Rules {
		v.Rules[i].encode(&p.Rules[i])
	}
	return v, nil
}

func (v *ruleValue) encode(r *Rule) {
	v.Mode = uint32(r.Mode)
	copy(v.Name[:], r.Name)
	if r.Command != "" {
		v.Conditions |= byCommand
		copy(v.Command[:], r.Command)
	}
	peer, _ := r.end("peer", r.Peer)
	v.Conditions |= v.Peer.encode(peer, byPeer) | encodePorts(peer, &v.PeerLow, &v.PeerHigh, byPeerPort)
	local, _ := r.end("local", r.Local)
	v.Conditions |= v.Local.encode(local, byLocal) | encodePorts(local, &v.LocalLow, &v.LocalHigh, byLocalPort)
	if r.Mode == Leave {
		return
	}
	encodeConfig(r.Config, &v.MostSet, &v.Most)
	if r.Least != (sockopt.Config{}) {
		encodeConfig(r.Least, &v.LeastSet, &v.Least)
		v.LeastSet &^= 1 << platform.KeepAlive // no bound
	}
	if r.Mode == Clamp && r.Config.UserTimeout == sockopt.NoUserTimeout {
		v.MostSet &^= 1 << platform.UserTimeout // every user timeout is shorter
	}
}

// encodeConfig has the values of the calls that set the options of c.
func encodeConfig(c sockopt.Config, set *uint32, values *[options]uint32) {
	plan, _ := kernel.Limits().Plan(kernel.Request(c))
	for _, step := range plan.Steps() {
		*set |= 1 << step.Option
		values[step.Option] = uint32(step.Value)
	}
}

func (a *addressValue) encode(e endpoint.Endpoint, condition uint32) uint32 {
	if !e.Prefix.IsValid() {
		return 0
	}
	bits := e.Prefix.Bits()
	if e.Prefix.Addr().Is4() {
		bits += 96
	}
	a.Address = e.Prefix.Addr().As16()
	for i := range bits {
		a.Mask[i/8] |= 0x80 >> (i % 8)
	}
	return condition
}

func encodePorts(e endpoint.Endpoint, low, high *uint32, condition uint32) uint32 {
	from, to, limited := e.Ports()
	if !limited {
		return 0
	}
	*low, *high = uint32(from), uint32(to)
	return condition
}

// decode is the opposite of encode.
func (v *policyValue) decode() (p Policy, cgroup string) {
	for i := range v.Rules[:min(v.Count, MaxRules)] {
		r := &v.Rules[i]
		rule := Rule{
			Name: text(r.Name[:]), Command: text(r.Command[:]), Mode: Mode(r.Mode),
			Peer:   r.Peer.decode(r.Conditions&byPeer != 0, r.PeerLow, r.PeerHigh),
			Local:  r.Local.decode(r.Conditions&byLocal != 0, r.LocalLow, r.LocalHigh),
			Config: decodeConfig(r.MostSet, &r.Most), Least: decodeConfig(r.LeastSet, &r.Least),
		}
		p.Rules = append(p.Rules, rule)
	}
	return p, text(v.Path[:])
}

func decodeConfig(set uint32, values *[options]uint32) (c sockopt.Config) {
	table := kernel.Limits()
	duration := func(o platform.Option) time.Duration {
		if set&(1<<o) == 0 {
			return 0
		}
		return time.Duration(values[o]) * table.Spec(o).Unit
	}
	c.Disabled = set&(1<<platform.KeepAlive) != 0 && values[platform.KeepAlive] == 0
	c.Idle, c.Interval, c.UserTimeout = duration(platform.Idle), duration(platform.Interval), duration(platform.UserTimeout)
	if set&(1<<platform.Count) != 0 {
		c.Count = int(values[platform.Count])
	}
	if set&(1<<platform.UserTimeout) != 0 && c.UserTimeout == 0 {
		c.UserTimeout = sockopt.NoUserTimeout
	}
	return c
}

func (a *addressValue) decode(limited bool, low, high uint32) string {
	e := endpoint.Endpoint{LowPort: uint16(low), HighPort: uint16(high)}
	if limited {
		bits := 0
		for bits < 128 && a.Mask[bits/8]&(0x80>>(bits%8)) != 0 {
			bits++
		}
		addr := netip.AddrFrom16(a.Address)
		if addr.Is4In6() && bits >= 96 {
			addr, bits = addr.Unmap(), bits-96
		}
		e.Prefix = netip.PrefixFrom(addr, bits)
	}
	if e == (endpoint.Endpoint{}) {
		return ""
	}
	return e.String()
}

// text returns what is before the first byte of 0.
func text(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return string(before)
}

// sizes of the structures, which have no padding.
var (
	policySize = binary.Size(policyValue{})
	ruleSize   = binary.Size(ruleValue{})
	socketSize = binary.Size(socketValue{})
)
