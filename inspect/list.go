package inspect

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// ErrTableChanged ends a list if the kernel's table changed while it was read,
// so that sockets may be missing or listed twice (NLM_F_DUMP_INTR). All sockets
// that were read have been listed before.
var ErrTableChanged = errors.New("the socket table changed while it was read: sockets may be missing or listed twice")

// A Filter selects sockets, and the details to report about them. Its zero value selects
// the connections of both address families. The kernel compares states, addresses and
// ports, unless there are more than a few hundred addresses or one has a zone.
type Filter struct {
	// States are the states to select. If it is empty, the states of a connection are
	// selected, as ss does: all except Listen, TimeWait, SynReceived, Closed and
	// BoundInactive.
	States []State
	// Network is "tcp4", "tcp6", or "" or "tcp" for both, as in package net. The
	// IPv4-mapped addresses of dual-stack sockets belong to tcp6.
	Network string
	// Local and Peer are addresses ("192.0.2.1", "2001:db8::1"), prefixes ("10.0.0.0/8"), ports
	// (":443", ":8000-8099"), or both ("10.0.0.0/8:443", "[2001:db8::]/32:443", "*:443"). One of
	// them has to match; an empty list matches every socket. An IPv6 address may have a zone
	// ("fe80::1%eth0", "[fe80::1%eth0]:443"): then only sockets that are bound to that interface of
	// the Namespace match. An IPv4 address also matches IPv4-mapped addresses. Host names are not
	// resolved.
	Local, Peer []string

	// Namespace is the network namespace to list: an open /proc/PID/ns/net,
	// /run/netns/NAME or the like. If it is nil, it is that of the calling
	// thread.
	Namespace *os.File

	Activity bool // fill in Activity, Multipath and Subflow; a list takes a quarter longer
	Detail   bool // fill in what ss -e adds
	// Owners, from [FindOwners], fills in the Owners of each Report. If it was made for
	// all processes, List searches again for the owner of a socket that was opened since,
	// at most twice.
	Owners *Owners
	// Settings fills in the Settings of sockets that have Owners, and their Retries. It
	// needs permission to trace the process: being the same user, unless a security module
	// forbids it (Yama does, even for child processes), or CAP_SYS_PTRACE. Without
	// permission the error in Report.Unknown wraps [fs.ErrPermission]. If the process has
	// closed the socket in the meantime, it wraps [fs.ErrNotExist]; before Linux 5.9, and
	// in a sandbox without the system calls, it wraps [errors.ErrUnsupported].
	//
	// Each socket is borrowed for a few microseconds (pidfd_getfd), 1024 at a time; see
	// the package documentation for what its owner may notice.
	Settings bool
}

// List iterates over the TCP sockets of the calling thread's network namespace,
// or of that of the Filter, in the order of the kernel's table. Each Report is
// valid until the next one; copy it to keep it. Memory use does not grow with
// the number of sockets.
//
// It needs no privilege, except for another namespace: that takes CAP_SYS_ADMIN,
// both in the current user namespace and in the one that owns the network
// namespace; otherwise the error wraps [fs.ErrPermission]. The caller's threads
// stay in their namespace.
//
// Where NETLINK_SOCK_DIAG is refused, the list comes from /proc/thread-self/net/tcp and
// tcp6, without Activity and Detail, and each Report's Source says so. In that list a
// socket may be missing or appear twice while others are opened and closed, because the
// kernel continues from a position in its table (tcp_seek_last_pos in
// net/ipv4/tcp_ipv4.c).
//
// An error ends the list: [ErrTableChanged], an invalid Filter, an error of the
// kernel, or one that wraps [errors.ErrUnsupported] on systems other than Linux.
// A list that ends without an error is complete, except for sockets that were
// opened or closed in the meantime.
func List(f Filter) iter.Seq2[*Report, error] {
	return func(yield func(*Report, error) bool) {
		q, err := f.query()
		if err != nil {
			yield(nil, named(err))
			return
		}
		j := joiner{query: q, owners: f.Owners, yield: yield}
		defer j.peeker.Close()
		err = q.list(j.add)
		if !j.stopped && j.flush() && err != nil {
			yield(nil, named(err))
		}
	}
}

// A query is a parsed Filter.
type query struct {
	Filter
	states      stateMask
	local, peer []endpoint.Endpoint
}

// query parses the Filter and returns an error if it is invalid.
func (f Filter) query() (q *query, err error) {
	q = &query{Filter: f}
	if q.states, err = maskOf(f.States); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "tcp", "tcp4", "tcp6"}, f.Network) {
		return nil, fmt.Errorf("Filter.Network=%q is neither tcp, tcp4 nor tcp6", f.Network)
	}
	if f.Settings && f.Owners == nil {
		return nil, errors.New("Filter.Settings needs Filter.Owners: the settings of a socket are read through the process that has it open")
	}
	if q.local, err = f.endpoints("Local", f.Local); err == nil {
		q.peer, err = f.endpoints("Peer", f.Peer)
	}
	return q, err
}

// endpoints parses the conditions. Their zones are interfaces of the namespace.
func (f *Filter) endpoints(field string, texts []string) ([]endpoint.Endpoint, error) {
	list := make([]endpoint.Endpoint, 0, len(texts))
	for _, text := range texts {
		e, err := endpoint.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("in Filter.%s: %w", field, err)
		}
		list = append(list, e)
	}
	if !slices.ContainsFunc(list, func(e endpoint.Endpoint) bool { return e.Zone != "" }) {
		return list, nil
	}
	err := netns.Do(f.Namespace, func() (err error) {
		list, err = endpoint.WithDevices(list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("in Filter.%s: %w", field, err)
	}
	return list, nil
}

// network returns the only network that can have a match, or "" for both.
func (q *query) network() string {
	switch {
	case q.Network == "tcp4", q.Network == "tcp6":
		return q.Network
	case onlyIPv6(q.local), onlyIPv6(q.peer):
		return "tcp6"
	}
	return ""
}

func onlyIPv6(endpoints []endpoint.Endpoint) bool {
	for i := range endpoints {
		if p := endpoints[i].Prefix; !p.IsValid() || p.Addr().Is4() {
			return false
		}
	}
	return len(endpoints) > 0
}

// matches applies the query to a socket that the kernel has not filtered.
func (q *query) matches(r *Report) bool {
	network := "tcp6"
	if r.Local.Addr().Is4() {
		network = "tcp4"
	}
	return q.states.has(r.State) &&
		(q.Network == "" || q.Network == "tcp" || q.Network == network) &&
		endpoint.MatchesAny(q.local, r.Local, r.Device) && endpoint.MatchesAny(q.peer, r.Peer, r.Device)
}
