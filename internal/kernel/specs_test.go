package kernel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/platform"
)

// spec is one option as the systems' headers and sources have it. The numbers
// in this file are typed in from there, not taken from the tables under test.
type spec struct {
	option        Option
	symbol        string
	level, number int
	unit          time.Duration
	min, max      int64
	zero          string
	inherited     Answer
	readable      Answer
	form          string
}

const (
	// noMax: no source states a maximum, so a C int is the limit.
	noMax = -1
	// noMin: no source states a minimum. A table may say that, or 1, the smallest
	// value that can be asked for.
	noMin = -2

	cInt = 2147483647
)

// Linux: include/uapi/linux/tcp.h, include/net/tcp.h (MAX_TCP_KEEPIDLE 32767,
// MAX_TCP_KEEPINTVL 32767, MAX_TCP_KEEPCNT 127), tcp(7).
func linuxSpecs(solSocket, soKeepAlive int) []spec {
	return []spec{
		{Interval, "TCP_KEEPINTVL", 6, 5, perSecond, 1, 32767, ZeroRejected, Yes, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 6, Times, 1, 127, ZeroRejected, Yes, Yes, Plain},
		{UserTimeout, "TCP_USER_TIMEOUT", 6, 18, perMillisecond, 1, cInt, ZeroOff, Yes, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", solSocket, soKeepAlive, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 4, perSecond, 1, 32767, ZeroRejected, Yes, Yes, Plain},
	}
}

// macOS: xnu bsd/netinet/tcp.h, tcp_usrreq.c (UINT32_MAX/TCP_RETRANSHZ),
// tcp_input.c (a child copies the interval and the count, not the idle time).
var darwinSpecs = []spec{
	{Interval, "TCP_KEEPINTVL", 6, 0x101, perSecond, 1, 4294967, ZeroDefault, Yes, Yes, Plain},
	{Count, "TCP_KEEPCNT", 6, 0x102, Times, 1, cInt, ZeroDefault, Yes, Yes, Plain},
	{UserTimeout, "TCP_RXT_CONNDROPTIME", 6, 0x80, perSecond, 1, noMax, ZeroOff, No, Unknown, Plain},
	{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
	{Idle, "TCP_KEEPALIVE", 6, 0x10, perSecond, 1, 4294967, ZeroDefault, No, Yes, Plain},
}

// DragonFly BSD: netinet/tcp.h, tcp_usrreq.c; MAXKEEPALIVE is not public.
func dragonflySpecs(unit time.Duration) []spec {
	return []spec{
		{Interval, "TCP_KEEPINTVL", 6, 0x200, unit, 1, noMax, ZeroRejected, Unknown, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 0x400, Times, 1, noMax, ZeroRejected, Unknown, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 0x100, unit, 1, noMax, ZeroRejected, Unknown, Yes, Plain},
	}
}

// expected has the options of every table, in the order in which they are set.
var expected = map[string][]spec{
	"linux": linuxSpecs(1, 9),
	"linux-gvisor": { // pkg/tcpip/transport/tcp/accept.go: a child copies the user timeout only
		{Interval, "TCP_KEEPINTVL", 6, 5, perSecond, 1, 32767, ZeroRejected, No, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 6, Times, 1, 127, ZeroRejected, No, Yes, Plain},
		{UserTimeout, "TCP_USER_TIMEOUT", 6, 18, perMillisecond, 1, cInt, ZeroOff, Yes, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 1, 9, Flag, 0, 1, ZeroOff, No, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 4, perSecond, 1, 32767, ZeroRejected, No, Yes, Plain},
	},
	"linux-mips": linuxSpecs(0xffff, 8), // arch/mips/include/uapi/asm/socket.h
	"android":    linuxSpecs(1, 9),
	"darwin":     darwinSpecs,
	"ios":        darwinSpecs,
	// FreeBSD: netinet/tcp.h, tcp_usrreq.c (UINT_MAX/hz), tcp_syncache.c.
	"freebsd": {
		{Interval, "TCP_KEEPINTVL", 6, 0x200, perSecond, 1, 4294967, ZeroDefault, Yes, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 0x400, Times, 1, cInt, ZeroDefault, Yes, Yes, Plain},
		{UserTimeout, "TCP_MAXUNACKTIME", 6, 68, perSecond, 1, 4294967, ZeroOff, Unknown, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 0x100, perSecond, 1, 4294967, ZeroDefault, Yes, Yes, Plain},
	},
	// NetBSD: netinet/tcp.h, tcp_usrreq.c (no upper check, and a product that can
	// overflow), tcp_timer.h
	// (TCP_TIMER_ARM counts in PR_SLOWHZ), tcp_syncache.c.
	"netbsd": {
		{Idle, "TCP_KEEPIDLE", 6, 3, perHalfSecond, 1, noMax, ZeroRejected, No, Unknown, Plain},
		{Interval, "TCP_KEEPINTVL", 6, 5, perHalfSecond, 1, noMax, ZeroRejected, No, Unknown, Plain},
		{Count, "TCP_KEEPCNT", 6, 6, Times, 1, noMax, ZeroRejected, No, Unknown, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
	},
	"openbsd": {
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
	},
	"dragonfly":            dragonflySpecs(perSecond),
	"dragonfly-before-5.8": dragonflySpecs(perMillisecond),
	// illumos: netinet/tcp.h, inet/tcp/tcp_opt_data.c, tcp_tunables.c (interval up
	// to tcp_rto_max, 60 s; idle up to 10 days).
	"illumos": {
		{Interval, "TCP_KEEPINTVL", 6, 0x24, perSecond, 1, 60, ZeroRejected, Yes, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 0x23, Times, 1, noMax, ZeroRejected, Yes, Yes, Plain},
		{UserTimeout, "TCP_ABORT_THRESHOLD", 6, 0x11, perMillisecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 0x22, perSecond, 1, 864000, ZeroRejected, Yes, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Yes, Yes, Plain},
	},
	// Solaris: net/tcpsockopt_solaris.go. 0x22 to 0x24, which x/sys has under
	// these names, are the numbers of illumos.
	"solaris": {
		{Interval, "TCP_KEEPINTVL", 6, 0x1e, perSecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 0x1f, Times, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{UserTimeout, "TCP_ABORT_THRESHOLD", 6, 0x11, perMillisecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 0x1d, perSecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Unknown, Yes, Plain},
	},
	"solaris-before-11.4": {
		{Interval, "TCP_KEEPALIVE_ABORT_THRESHOLD", 6, 0x17, perMillisecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Product},
		{Count, "TCP_KEEPALIVE_ABORT_THRESHOLD", 6, 0x17, Times, noMin, noMax, ZeroUnknown, Unknown, Yes, Product},
		{UserTimeout, "TCP_ABORT_THRESHOLD", 6, 0x11, perMillisecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{Idle, "TCP_KEEPALIVE_THRESHOLD", 6, 0x16, perMillisecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Unknown, Yes, Plain},
	},
	// AIX: zerrors_aix_ppc64.go for the numbers, net/tcpsockopt_unix.go for the unit.
	"aix": {
		{Interval, "TCP_KEEPINTVL", 6, 0x12, perSecond, noMin, noMax, ZeroUnknown, Unknown, Unknown, Plain},
		{Count, "TCP_KEEPCNT", 6, 0x13, Times, noMin, noMax, ZeroUnknown, Unknown, Unknown, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Unknown, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 0x11, perSecond, noMin, noMax, ZeroUnknown, Unknown, Unknown, Plain},
	},
	// Windows: ws2ipdef.h, "IPPROTO_TCP socket options", mstcpip.h.
	"windows": {
		{Interval, "TCP_KEEPINTVL", 6, 17, perSecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
		{Count, "TCP_KEEPCNT", 6, 16, Times, noMin, 255, ZeroUnknown, Unknown, Yes, Plain},
		{UserTimeout, "TCP_MAXRT", 6, 5, perSecond, noMin, noMax, ZeroUnknown, Unknown, Unknown, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Unknown, Yes, Plain},
		{Idle, "TCP_KEEPIDLE", 6, 3, perSecond, noMin, noMax, ZeroUnknown, Unknown, Yes, Plain},
	},
	"windows-before-1709": { // struct tcp_keepalive: three ULONG
		{Idle, "SIO_KEEPALIVE_VALS", 0, 0, perMillisecond, noMin, 4294967295, ZeroUnknown, Unknown, No, KeepAliveVals},
		{Interval, "SIO_KEEPALIVE_VALS", 0, 0, perMillisecond, noMin, 4294967295, ZeroUnknown, Unknown, No, KeepAliveVals},
		{UserTimeout, "TCP_MAXRT", 6, 5, perSecond, noMin, noMax, ZeroUnknown, Unknown, Unknown, Plain},
		{KeepAlive, "SO_KEEPALIVE", 0xffff, 8, Flag, 0, 1, ZeroOff, Unknown, Yes, Plain},
	},
}

// sysctls are the system-wide defaults and their units. Where a unit changed
// between releases (OpenBSD, DragonFly BSD's times) none may be read.
var sysctls = map[string]map[Option]struct {
	name string
	unit time.Duration
}{
	"linux": {
		Idle:     {"net.ipv4.tcp_keepalive_time", perSecond},
		Interval: {"net.ipv4.tcp_keepalive_intvl", perSecond},
		Count:    {"net.ipv4.tcp_keepalive_probes", Times},
	},
	"darwin": {
		Idle:     {"net.inet.tcp.keepidle", perMillisecond},
		Interval: {"net.inet.tcp.keepintvl", perMillisecond},
		Count:    {"net.inet.tcp.keepcnt", Times},
	},
	"netbsd": {
		Idle:     {"net.inet.tcp.keepidle", perHalfSecond},
		Interval: {"net.inet.tcp.keepintvl", perHalfSecond},
		Count:    {"net.inet.tcp.keepcnt", Times},
	},
	"dragonfly": {Count: {"net.inet.tcp.keepcnt", Times}},
}

func init() {
	for to, from := range map[string]string{
		"linux-mips": "linux", "linux-gvisor": "linux", "android": "linux", "ios": "darwin", "freebsd": "darwin", "dragonfly-before-5.8": "dragonfly",
	} {
		sysctls[to] = sysctls[from]
	}
}

func TestTablesHoldWhatTheHeadersSay(t *testing.T) {
	t.Parallel()
	require.Len(t, platform.Tables(), len(expected), "a table without expectations, or the other way round")
	for _, tbl := range platform.Tables() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			want := expected[tbl.Name]
			require.Len(t, tbl.Specs, len(want))
			for i, w := range want {
				s := tbl.Specs[i]
				got := spec{s.Option, s.Symbol, s.Level, s.Number, s.Unit, s.Min, s.Max, s.Zero, s.Inherited, s.Readable, s.Call}
				if w.min == noMin && (got.min == UnknownLimit || got.min == 1) {
					got.min = noMin
				}
				assert.Equal(t, w, got, "option %d, in the order of setting", i)
				assert.Equal(t, sysctls[tbl.Name][w.option].name, s.Sysctl, "%s", w.option)
				if s.Sysctl != "" {
					assert.Equal(t, sysctls[tbl.Name][w.option].unit, s.SysctlUnit, "%s", w.option)
				}
			}
		})
	}
}
