package platform

// The BSDs and macOS share the socket level of 4.4BSD, and so do all other
// systems but Linux.
const (
	bsdSolSocket    = 0xffff
	bsdSoAcceptConn = 2
	bsdSoReuseAddr  = 4
	bsdSoKeepAlive  = 8
	bsdTCP          = 6
)

func bsdKeepAlive() Spec {
	return Spec{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: bsdSolSocket, Number: bsdSoKeepAlive,
		Unit: Flag, Min: 0, Max: 1, Zero: ZeroOff, Inherited: Yes, Readable: Yes}
}

// macOS and iOS: xnu bsd/netinet/tcp.h, tcp_usrreq.c (tcp_ctloutput),
// tcp_timer.c, tcp_input.c (what an accepted socket copies).
const (
	darwinTCPKeepAlive       = 0x10
	darwinTCPKeepIntvl       = 0x101
	darwinTCPKeepCnt         = 0x102
	darwinTCPRxtConnDropTime = 0x80

	darwinMaxSeconds = (1<<32 - 1) / 1000 // the kernel keeps milliseconds in 32 bits
)

// darwinSpecs sets SO_KEEPALIVE before the idle time: the kernel arms the timer
// when the idle time is set, and uses the socket's own value only if
// SO_KEEPALIVE is already on.
func darwinSpecs() []Spec {
	return []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: darwinTCPKeepIntvl,
			Unit: Seconds, Min: 1, Max: darwinMaxSeconds, Zero: ZeroDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepintvl", SysctlIn: Milliseconds},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: darwinTCPKeepCnt,
			Unit: Times, Min: 1, Max: 1<<31 - 1, Zero: ZeroDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepcnt", SysctlIn: Times},
		{Option: UserTimeout, Symbol: "TCP_RXT_CONNDROPTIME", Level: bsdTCP, Number: darwinTCPRxtConnDropTime,
			Unit: Seconds, Min: 1, Max: UnknownLimit, Zero: ZeroOff, Inherited: No, Readable: Unknown},
		bsdKeepAlive(),
		{Option: Idle, Symbol: "TCP_KEEPALIVE", Level: bsdTCP, Number: darwinTCPKeepAlive,
			Unit: Seconds, Min: 1, Max: darwinMaxSeconds, Zero: ZeroDefault, Inherited: No, Readable: Yes,
			Sysctl: "net.inet.tcp.keepidle", SysctlIn: Milliseconds},
	}
}

var darwinNotes = []string{
	"TCP_KEEPALIVE set on a listening socket ends it after the idle time on macOS 13 and before: nothing is set before accept, on any version.",
	"Accepted sockets would not inherit TCP_KEEPALIVE (the idle time) nor TCP_RXT_CONNDROPTIME either.",
	mayAlwaysProbe,
	"The idle time takes effect at once only if SO_KEEPALIVE is already on when it is set.",
	"TCP_RXT_CONNDROPTIME limits one episode of retransmissions, checked when one is due; unlike Linux's TCP_USER_TIMEOUT it leaves the probe count alone.",
}

const darwinSource = "xnu-11417.101.15 (macOS 15.4); compiled, not run"

// One answer for all versions: in 10002 and later (macOS 14) nothing is armed,
// but public reports blame SO_KEEPALIVE alone too, and four calls after accept
// cost less than a listener.
const darwinListenerSource = "xnu up to 8796.141 (macOS 13) arms the timer for TCP_KEEPALIVE in any state (tcp_usrreq.c, tcp_ctloutput), and drops a socket below ESTABLISHED when it fires (tcp_timer.c, tcp_timers): the listener dies after the idle time; since 10002 (macOS 14) it arms connections only"

var darwin = Table{
	Name: "darwin", GOOS: "darwin", Title: "macOS", Specs: darwinSpecs(),
	AlwaysProbes: bsdAlwaysKeepAlive,
	ArmsListener: Yes, ListenerSource: darwinListenerSource, Notes: darwinNotes, Source: darwinSource,
}

var ios = Table{
	Name: "ios", GOOS: "ios", Title: "iOS", Specs: darwinSpecs(),
	AlwaysProbes: bsdAlwaysKeepAlive,
	ArmsListener: Yes, ListenerSource: darwinListenerSource, Notes: darwinNotes, Source: darwinSource,
}

// FreeBSD: sys/netinet/tcp.h, tcp_usrreq.c (tcp_default_ctloutput),
// tcp_timer.c, tcp_syncache.c (what an accepted socket copies).
const (
	freebsdTCPKeepIdle      = 0x100
	freebsdTCPKeepIntvl     = 0x200
	freebsdTCPKeepCnt       = 0x400
	freebsdTCPMaxUnackTime  = 68 // not in x/sys
	freebsdMaxSeconds       = (1<<32 - 1) / 1000
	bsdAlwaysKeepAlive      = "net.inet.tcp.always_keepalive"
	mayAlwaysProbe          = "With net.inet.tcp.always_keepalive=1, which is not the default, every connection is probed even while SO_KEEPALIVE is off."
	alwaysProbesExplanation = "With net.inet.tcp.always_keepalive=1, the default, every connection is probed even while SO_KEEPALIVE is off: Disabled does not silence it."
)

var freebsd = Table{
	Name: "freebsd", GOOS: "freebsd", Title: "FreeBSD",
	Specs: []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: freebsdTCPKeepIntvl,
			Unit: Seconds, Min: 1, Max: freebsdMaxSeconds, Zero: ZeroDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepintvl", SysctlIn: Milliseconds},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: freebsdTCPKeepCnt,
			Unit: Times, Min: 1, Max: 1<<31 - 1, Zero: ZeroDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepcnt", SysctlIn: Times},
		{Option: UserTimeout, Symbol: "TCP_MAXUNACKTIME", Level: bsdTCP, Number: freebsdTCPMaxUnackTime,
			Unit: Seconds, Min: 1, Max: freebsdMaxSeconds, Zero: ZeroOff, Inherited: Unknown, Readable: Yes},
		bsdKeepAlive(),
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: freebsdTCPKeepIdle,
			Unit: Seconds, Min: 1, Max: freebsdMaxSeconds, Zero: ZeroDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepidle", SysctlIn: Milliseconds},
	},
	AlwaysProbes:   bsdAlwaysKeepAlive,
	ArmsListener:   No,
	ListenerSource: "FreeBSD 14/15 sys/netinet/tcp_usrreq.c (tcp_default_ctloutput): TCP_KEEPIDLE starts the timer only above TCPS_LISTEN, the others touch none",
	Notes: []string{
		alwaysProbesExplanation,
		"TCP_MAXUNACKTIME exists since FreeBSD 14: earlier releases answer ENOPROTOOPT.",
		"Setting TCP_KEEPIDLE on a connection starts a full idle time from now.",
	},
	Source: "FreeBSD 14/15 source, tcp(4); compiled, not run",
}

// NetBSD: sys/netinet/tcp.h, tcp_usrreq.c, tcp_timer.c (change_keepalive).
const (
	netbsdTCPKeepIdle  = 3
	netbsdTCPKeepIntvl = 5
	netbsdTCPKeepCnt   = 6
)

var netbsd = Table{
	Name: "netbsd", GOOS: "netbsd", Title: "NetBSD",
	// While SO_KEEPALIVE is on, setting any of the others arms the timer with the
	// interval, and a probe leaves early.
	TimingWhileOff: true,
	Specs: []Spec{
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: netbsdTCPKeepIdle,
			Unit: HalfSeconds, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: No, Readable: Unknown,
			Sysctl: "net.inet.tcp.keepidle", SysctlIn: HalfSeconds},
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: netbsdTCPKeepIntvl,
			Unit: HalfSeconds, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: No, Readable: Unknown,
			Sysctl: "net.inet.tcp.keepintvl", SysctlIn: HalfSeconds},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: netbsdTCPKeepCnt,
			Unit: Times, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: No, Readable: Unknown,
			Sysctl: "net.inet.tcp.keepcnt", SysctlIn: Times},
		bsdKeepAlive(),
	},
	Absent:       []Absence{{UserTimeout, "NetBSD has no limit on unacknowledged data per socket"}},
	ArmsListener: Yes,
	ListenerSource: "sys/netinet/tcp_usrreq.c (change_keepalive) arms the timer for TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT in any state, " +
		"and tcp_timer.c 1.89 (tcp_timer_keep) drops a socket below ESTABLISHED when it fires: the listener dies after the idle time or the interval",
	Notes: []string{
		"The kernel counts TCP_KEEPIDLE and TCP_KEEPINTVL in slow ticks of half a second, although tcp(4) says seconds; this package sets twice the seconds, Go's net package does not.",
		"An option set on a listening socket ends it when the timer fires: nothing is set before accept. Accepted sockets would inherit SO_KEEPALIVE only.",
		"The kernel takes any value above 0, and multiplies interval and count without a check: from what values on that overflows nobody looked up.",
		"Older kernels cannot read the options back (ENOPROTOOPT): 7.99.34 of 2016 was run and could not.",
		"The newest release was not checked: if it counts seconds, probes leave after twice the time asked for.",
	},
	Source: "NetBSD 10 source and a 2016 kernel that was run; compiled, not run on a current one",
}

// OpenBSD: sys/netinet/tcp_timer.c. There is nothing but SO_KEEPALIVE.
var openbsd = Table{
	Name: "openbsd", GOOS: "openbsd", Title: "OpenBSD",
	Specs: []Spec{bsdKeepAlive()},
	Absent: []Absence{
		{Idle, "OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepidle"},
		{Interval, "OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepintvl"},
		{Count, "OpenBSD always sends 8 probes"},
		{UserTimeout, "OpenBSD has no limit on unacknowledged data per socket"},
	},
	AlwaysProbes:   bsdAlwaysKeepAlive,
	ArmsListener:   No,
	ListenerSource: "sys/kern/uipc_socket.c (sosetopt): SO_KEEPALIVE is a bit in so_options",
	Notes: []string{
		mayAlwaysProbe,
		"Timing is global: the sysctls net.inet.tcp.keepidle and net.inet.tcp.keepintvl, whose unit changed between releases from half-seconds to seconds.",
	},
	Source: "OpenBSD source (tcp_timer.c); compiled, not run",
}

// DragonFly BSD: sys/netinet/tcp.h, tcp_usrreq.c.
const (
	dragonflyTCPKeepIdle  = 0x100
	dragonflyTCPKeepIntvl = 0x200
	dragonflyTCPKeepCnt   = 0x400
)

func dragonflySpecs(unit Unit) []Spec {
	return []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: dragonflyTCPKeepIntvl,
			Unit: unit, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: Unknown, Readable: Yes},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: dragonflyTCPKeepCnt,
			Unit: Times, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: Unknown, Readable: Yes,
			Sysctl: "net.inet.tcp.keepcnt", SysctlIn: Times},
		bsdKeepAlive(),
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: dragonflyTCPKeepIdle,
			Unit: unit, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: Unknown, Readable: Yes},
	}
}

const dragonflyListenerSource = "TCP_KEEPIDLE calls tcp_timer_keep_activity (sys/netinet/tcp_usrreq.c), of which nobody read what it does in LISTEN"

var dragonflyAbsent = []Absence{{UserTimeout, "DragonFly BSD has no limit on unacknowledged data per socket"}}

var dragonfly = Table{
	Name: "dragonfly", GOOS: "dragonfly", Title: "DragonFly BSD",
	Specs:          dragonflySpecs(Seconds),
	Absent:         dragonflyAbsent,
	AlwaysProbes:   bsdAlwaysKeepAlive,
	ListenerSource: dragonflyListenerSource,
	Notes: []string{
		alwaysProbesExplanation,
		"Since 5.8 (kern.osreldate 500702) the options count seconds, before milliseconds.",
		"tcp(4) says that accepted sockets inherit the options; nobody checked, so they are set again after accept.",
	},
	Source: "DragonFly BSD source after 5.8, golang/go#65809; compiled, not run",
}

var dragonflyBefore58 = Table{
	Name: "dragonfly-before-5.8", GOOS: "dragonfly", Title: "DragonFly BSD before 5.8",
	Specs:          dragonflySpecs(Milliseconds),
	Absent:         dragonflyAbsent,
	AlwaysProbes:   bsdAlwaysKeepAlive,
	ListenerSource: dragonflyListenerSource,
	Notes:          []string{alwaysProbesExplanation, "The options count milliseconds."},
	Source:         "DragonFly BSD source before 5.8; compiled, not run",
}

// dragonflySecondsSince is the kern.osreldate from which the options count seconds.
const dragonflySecondsSince = 500702
