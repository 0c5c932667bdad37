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

// ErrTableChanged ends a list during which the kernel's table changed so that
// sockets may be missing or listed twice (NLM_F_DUMP_INTR). All sockets that it
// had were listed before.
var ErrTableChanged = errors.New("the socket table changed while it was read: sockets may be missing or listed twice")

// A Filter selects sockets, and what is asked about them. Its zero value selects the
// connections of both families. States, addresses and ports are compared in the kernel,
// unless there are more than some hundred addresses or one has a zone.
type Filter struct {
	// States are those wanted; none stands for those of a connection, as for ss: all
	// but Listen, TimeWait, SynReceived, Closed and BoundInactive.
	States []State
	// Network is "tcp4", "tcp6", or "" or "tcp" for both, as in package net. The
	// IPv4-mapped addresses of dual-stack sockets belong to tcp6.
	Network string
	// Local and Peer are addresses ("192.0.2.1", "2001:db8::1"), prefixes
	// ("10.0.0.0/8"), ports (":443", ":8000-8099"), or both ("10.0.0.0/8:443",
	// "[2001:db8::]/32:443", "*:443"), one of which has to match; none match all. An
	// IPv6 address may have a zone ("fe80::1%eth0", "[fe80::1%eth0]:443"): only sockets
	// that are bound to that interface, of the Namespace, match. One for IPv4 also matches IPv4-mapped
	// addresses. Names are not looked up.
	Local, Peer []string

	// Namespace is the network namespace to look into: an open /proc/PID/ns/net,
	// /run/netns/NAME or the like. nil: that of the calling thread.
	Namespace *os.File

	Activity bool // fill in Activity, Multipath and Subflow, which costs a quarter more
	Detail   bool // fill in what ss -e adds
	// Owners, from [FindOwners], fills in the Owners of each Report. Where it was made
	// for all processes, the owner of a socket that was opened since is looked for
	// again, at most twice for a list.
	Owners *Owners
	// Settings fills in the Settings of sockets that have Owners, and their Retries. It
	// takes the permission to trace the process: being the same user, where no security
	// module forbids it (Yama, also for one's own children), or CAP_SYS_PTRACE. Without,
	// the error in Report.Unknown wraps [fs.ErrPermission]. If the process has closed
	// the socket meanwhile, it wraps [fs.ErrNotExist]; before Linux 5.9, and in a
	// sandbox without the calls, [errors.ErrUnsupported].
	//
	// Each socket is borrowed for some microseconds (pidfd_getfd), 1024 at a time; see
	// the package documentation for what its owner may notice.
	Settings bool
}

// List goes through the TCP sockets of the calling thread's network namespace,
// or of that of the Filter, in the order of the kernel's table. The Report is
// valid until the next one; copy it to keep it. Memory does not grow with their
// number.
//
// It takes no privilege, but for another namespace: CAP_SYS_ADMIN, here and in the
// user namespace that owns it; without, the error wraps [fs.ErrPermission]. The
// caller's threads stay where they are.
//
// Where NETLINK_SOCK_DIAG is refused, the list comes from
// /proc/thread-self/net/tcp and tcp6, without Activity and Detail, and each
// Report's Source says so. There a socket may be missing, or come twice, while others
// come and go: the kernel goes on from a position (tcp_seek_last_pos in
// net/ipv4/tcp_ipv4.c).
//
// An error ends the list: [ErrTableChanged], an invalid Filter, one of the
// kernel's, or one that wraps [errors.ErrUnsupported] on other systems than
// Linux. A list that ends without one is complete, but for what was opened or
// closed meanwhile.
func List(f Filter) iter.Seq2[*Report, error] {
	return func(yield func(*Report, error) bool) {
		q, err := f.query()
		if err != nil {
			yield(nil, err)
			return
		}
		j := joiner{query: q, owners: f.Owners, yield: yield}
		defer j.peeker.Close()
		err = q.list(j.add)
		if !j.stopped && j.flush() && err != nil {
			yield(nil, err)
		}
	}
}

// A query is a Filter that was read.
type query struct {
	Filter
	states      stateMask
	local, peer []endpoint.Endpoint
}

// query finds what cannot be asked.
func (f Filter) query() (q *query, err error) {
	q = &query{Filter: f}
	if q.states, err = maskOf(f.States); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "tcp", "tcp4", "tcp6"}, f.Network) {
		return nil, fmt.Errorf("inspect: Filter.Network=%q is neither tcp, tcp4 nor tcp6", f.Network)
	}
	if f.Settings && f.Owners == nil {
		return nil, errors.New("inspect: Filter.Settings takes Filter.Owners: the settings of a socket are asked through who has it open")
	}
	if q.local, err = f.endpoints("Local", f.Local); err == nil {
		q.peer, err = f.endpoints("Peer", f.Peer)
	}
	return q, err
}

// endpoints reads the conditions, whose zones are interfaces of the namespace.
func (f *Filter) endpoints(field string, texts []string) ([]endpoint.Endpoint, error) {
	list := make([]endpoint.Endpoint, 0, len(texts))
	for _, text := range texts {
		e, err := endpoint.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("inspect: Filter.%s: %w", field, err)
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
		return nil, fmt.Errorf("inspect: Filter.%s: %w", field, err)
	}
	return list, nil
}

// network is the one that can have a match, or "" for both.
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

// matches is the query for sockets that the kernel has not filtered.
func (q *query) matches(r *Report) bool {
	network := "tcp6"
	if r.Local.Addr().Is4() {
		network = "tcp4"
	}
	return q.states.has(r.State) &&
		(q.Network == "" || q.Network == "tcp" || q.Network == network) &&
		endpoint.MatchesAny(q.local, r.Local, r.Device) && endpoint.MatchesAny(q.peer, r.Peer, r.Device)
}
