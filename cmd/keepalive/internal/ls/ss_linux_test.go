package ls

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A population has sockets of every kind, with every timer, in the network
// namespace of the thread.
type population struct {
	t      *testing.T
	silent *net.TCPConn // its data stays in flight once its address is gone
	port   int          // of a listener
}

func (p *population) listen(network, address string, multipath bool) net.Listener {
	var lc net.ListenConfig
	lc.KeepAlive = -1
	lc.SetMultipathTCP(multipath)
	l, err := lc.Listen(context.Background(), network, address)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { l.Close() })
	return l
}

func (p *population) set(c any, idle time.Duration) {
	require.NoError(p.t, sockopt.Set(c, sockopt.Config{Idle: idle, Interval: time.Minute, Count: 5}))
}

func populate(t *testing.T) *population {
	p := &population{t: t}
	testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "addr add 192.0.2.1/24 dev ka0", "link set ka0 up",
		"addr add fe80::77/64 dev ka0 nodad", "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev ka0", "addr add 198.51.100.1/32 dev lo")

	for _, address := range []string{"127.0.0.1:0", "[::1]:0", testkit.Mapped, "[fe80::77%ka0]:0"} {
		for _, idle := range []time.Duration{0, 7 * time.Second, 30 * time.Second, 300 * time.Second, 2 * time.Hour} {
			client, _ := testkit.Pair(t, "tcp", address) // off
			if idle > 0 {
				p.set(client, idle)
			}
		}
		half, _ := testkit.Pair(t, "tcp", address) // FIN-WAIT-2 and CLOSE-WAIT
		require.NoError(t, half.CloseWrite())
		first, second := testkit.Pair(t, "tcp", address) // TIME-WAIT
		require.NoError(t, first.Close())
		require.NoError(t, second.Close())
		orphan, _ := testkit.Pair(t, "tcp", address) // FIN-WAIT-2 that nobody has open
		require.NoError(t, orphan.Close())
	}
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::]:0", "tcp": ":0"} {
		l := p.listen(network, address, false)
		p.port = l.Addr().(*net.TCPAddr).Port
	}
	bound, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	rc, err := bound.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), "lo") }))
	require.NoError(t, err)

	l := p.listen("tcp", "127.0.0.1:0", true)
	d := net.Dialer{KeepAlive: 100 * time.Second}
	d.SetMultipathTCP(true)
	client, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })

	stalled, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0") // zero window: persist
	require.NoError(t, stalled.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
	_, err = stalled.Write(make([]byte, 64<<20))
	require.Error(t, err)

	p.silent, _ = testkit.Pair(t, "tcp4", "198.51.100.1:0")
	lost, _ := testkit.Pair(t, "tcp4", "198.51.100.1:0")
	testkit.IP(t, "route add blackhole 198.51.100.1/32 table 10", "rule add to 198.51.100.1 table 10 pref 0", "addr del 198.51.100.1/32 dev lo")
	p.silent.Write([]byte("in flight")) // on
	lost.CloseWrite()                   // FIN-WAIT-1

	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // SYN-SENT
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.ErrorIs(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 9}, Port: 80}), unix.EINPROGRESS)
	return p
}

var timerTime = regexp.MustCompile(`timer:\((\w+),([^,]*),(\d+)\)`)

// milliseconds reads what ss writes for a time, of either generation: "9.373ms"
// and "9.373sec" are 9.373 s, "848ms" is 0.848 s.
func milliseconds(t *testing.T, text string) (ms, resolution int) {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "%q", text)
		return n
	}
	if m, rest, ok := strings.Cut(text, "min"); ok {
		ms, resolution, text = 60_000*number(m), 60_000, rest
		if text != "" {
			resolution = 1000
		}
	}
	switch {
	case text == "":
	case strings.Contains(text, "."):
		s, fraction, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(text, "ms"), "sec"), ".")
		ms, resolution = ms+1000*number(s)+number(fraction), 1
	case strings.HasSuffix(text, "ms"):
		ms, resolution = ms+number(strings.TrimSuffix(text, "ms")), 1
	default:
		ms, resolution = ms+1000*number(strings.TrimSuffix(text, "sec")), 1000
	}
	return ms, max(resolution, 1)
}

// withoutTimes replaces the times of timers, and what their width does to the
// alignment of the last field: the spaces behind it, and at the ends of lines.
func withoutTimes(line string) string {
	return strings.TrimRight(timerTime.ReplaceAllString(line, "timer:($1,TIME,$3)"), " ")
}

// sameLines compares our output with what ss printed before and after. Lines
// are identical, byte by byte, but for the time of a timer, which lies between
// what ss saw before and after (they only run down; the kernel's tick and ss's
// own rounding allow for one step). Spaces at the ends of lines are as wide as
// the widest timer, so they are compared only between lines of equal output.
func sameLines(t *testing.T, before, ours, after string) (why string) {
	b, o, a := strings.Split(before, "\n"), strings.Split(ours, "\n"), strings.Split(after, "\n")
	if len(b) != len(o) || len(a) != len(o) {
		return fmt.Sprintf("%d, %d, %d lines", len(b), len(o), len(a))
	}
	for i := range o {
		if withoutTimes(b[i]) != withoutTimes(a[i]) {
			return "ss itself is not sure: " + b[i] + " / " + a[i]
		}
		if withoutTimes(o[i]) != withoutTimes(b[i]) {
			return fmt.Sprintf("line %d:\nss   %q\nours %q", i, b[i], o[i])
		}
		if len(before) == len(ours) && len(o[i]) != len(b[i]) {
			return fmt.Sprintf("line %d is aligned in another way:\nss   %q\nours %q", i, b[i], o[i])
		}
		times := func(line string) (ms, resolution int) {
			m := timerTime.FindStringSubmatch(line)
			if m == nil {
				return 0, 1
			}
			return milliseconds(t, m[2])
		}
		high, step := times(b[i])
		mine, _ := times(o[i])
		low, _ := times(a[i])
		if mine > high+step || mine < low-step {
			return fmt.Sprintf("line %d: the time is not between\nss   %q\nours %q\nss   %q", i, b[i], o[i], a[i])
		}
	}
	return ""
}

func TestSSLinesAreThoseOfSS(t *testing.T) {
	clitest.InTurn(t)
	ss := testkit.Tool(t, "ss")
	testkit.NeedMultipath(t)
	testkit.InNamespace(t, func() {
		p := populate(t)
		time.Sleep(500 * time.Millisecond) // segments arrive, delayed acknowledgements too
		portText := strconv.Itoa(p.port)
		seen := ""
		for _, row := range []struct {
			ours   string
			theirs []string
		}{
			{"", []string{"-Htno"}},
			{"--state all", []string{"-Htnoa"}},
			{"--listening", []string{"-Htnol"}},
			{"-4", []string{"-Htno4"}},
			{"-6 --state all", []string{"-Htnoa6"}},
			{"--extended --state all", []string{"-Htnoae"}},
			{"--process", []string{"-Htnop"}},
			{"--process --extended --state all", []string{"-Htnoaep"}},
			{"--process --listening", []string{"-Htnlop"}},
			{"--state time-wait", []string{"-Htno", "state", "time-wait"}},
			{"--state established,close-wait", []string{"-Htno", "state", "established", "state", "close-wait"}},
			{"--local 127.0.0.0/8", []string{"-Htno", "src", "127.0.0.0/8"}},
			{"--peer fe80::/10", []string{"-Htno", "dst", "[fe80::/10]"}},
			{"--peer :80", []string{"-Htno", "dport", "=", ":80"}},
			{"--state all --local :" + portText, []string{"-Htnoa", "sport", "=", ":" + portText}},
			{"--local :30000-50000", []string{"-Htno", "( sport >= :30000 and sport <= :50000 )"}},
			{"--local 127.0.0.0/8 --local ::1", []string{"-Htno", "( src 127.0.0.0/8 or src [::1] )"}},
			{"--local :1", []string{"-Htno", "sport", "=", ":1"}},
		} {
			func() { // no subtest, which would be on another thread, in another namespace
				runSS := func() string {
					out, err := exec.Command(ss, row.theirs...).Output()
					require.NoError(t, err)
					return string(out)
				}
				var why, ours string
				for range 10 { // timers end, and others begin
					before := runSS()
					code, out, errs := command(append([]string{"ls", "--ss"}, strings.Fields(row.ours)...)...)
					if before == "" {
						require.Equal(t, exit.Nothing, code, errs)
					} else {
						require.Equal(t, exit.OK, code, errs)
						require.Empty(t, errs)
					}
					ours = out
					if why = sameLines(t, before, ours, runSS()); why == "" {
						break
					}
				}
				assert.Empty(t, why, "ls --ss %s, ss %q", row.ours, row.theirs)
				seen += ours
			}()
		}
		for _, want := range []string{"timer:(on,", "timer:(keepalive,", "timer:(timewait,", "timer:(persist,", "min", "FIN-WAIT-1", "FIN-WAIT-2",
			"CLOSE-WAIT", "SYN-SENT", "TIME-WAIT", "LISTEN", "ESTAB", "%ka0:", "%lo:", "[::ffff:127.0.0.1]:", "*:", "[::]:", "0.0.0.0:*", "users:((", "v6only:1", "cgroup:", "<--", "-->"} {
			assert.True(t, strings.Contains(seen, want), "the population lacks %q", want)
		}
	})
}

func TestNetstatLinesAreThoseOfNetstat(t *testing.T) {
	clitest.InTurn(t)
	netstat := testkit.Tool(t, "netstat")
	testkit.InNamespace(t, func() {
		populate(t)
		time.Sleep(500 * time.Millisecond)
		number := regexp.MustCompile(`\((\d+\.\d\d)/(\d+)/(\d+)\)`)
		normal := func(out string) map[string][]float64 {
			lines := map[string][]float64{}
			for line := range strings.Lines(out) {
				if !strings.HasPrefix(line, "tcp") {
					continue // titles
				}
				m := number.FindStringSubmatch(line)
				require.NotNil(t, m, "%q", line)
				seconds, err := strconv.ParseFloat(m[1], 64)
				require.NoError(t, err)
				lines[strings.TrimRight(number.ReplaceAllString(line, "(TIME/$2/$3)"), " \n")] = []float64{seconds}
			}
			return lines
		}
		for _, row := range []struct{ ours, theirs string }{{"", "-tnoW"}, {"--listening", "-tnolW"}, {"--state all", "-tnoaW"}} {
			var want, got map[string][]float64
			for range 10 {
				code, ours, errs := command(append([]string{"ls", "--netstat"}, strings.Fields(row.ours)...)...)
				require.Equal(t, exit.OK, code, errs)
				theirs, err := exec.Command(netstat, row.theirs).Output()
				require.NoError(t, err)
				want, got = normal(string(theirs)), normal(ours)
				if keys(want) == keys(got) {
					break
				}
			}
			assert.Equal(t, keys(want), keys(got), row.theirs)
			for line, seconds := range got {
				if w := want[line]; w != nil {
					assert.InDelta(t, w[0], seconds[0], 0.5, line)
				}
			}
		}
	})
}

func keys(m map[string][]float64) string {
	var lines []string
	for line := range m {
		lines = append(lines, line)
	}
	return strings.Join(slices.Sorted(slices.Values(lines)), "\n")
}
