package conffile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The sysctls, and what they are the default of. They also hold for IPv6.
var sysctls = map[string]platform.Option{
	"net.ipv4.tcp_keepalive_time":   platform.Idle,
	"net.ipv4.tcp_keepalive_intvl":  platform.Interval,
	"net.ipv4.tcp_keepalive_probes": platform.Count,
}

// Sysctls that decide when data in flight to a dead peer is given up.
var retries = []string{
	"net.ipv4.tcp_retries2", "net.ipv4.tcp_rto_max_ms", "net.ipv4.tcp_orphan_retries",
}

// A sysctlLeg collects the sysctls of one network namespace.
type sysctlLeg struct {
	*leg
	seen map[string]origin
}

// SysctlAssumption is what the values of sysctls rest on: they are defaults, which reach
// no socket on which its program does not switch keepalive on.
const SysctlAssumption = "the program switches keepalive on (SO_KEEPALIVE) and sets no times of its own, as a Go program does"

// sysctlsOf starts the leg of the sockets that have such defaults.
func sysctlsOf(at Place, name string) *sysctlLeg {
	l := newLeg(at, "the program", name, "the kernel refuses it, and the value stays what it was")
	l.lenient = true
	l.Assumption = SysctlAssumption
	return &sysctlLeg{l, map[string]origin{}}
}

// set takes a sysctl, and reports whether it has to do with keepalive.
func (s *sysctlLeg) set(name, text string, o origin) bool {
	name = sysctlName(name)
	option, known := sysctls[name]
	switch {
	case known:
	case slices.Contains(retries, name):
		s.remark(o.Place, Note, "%s: it limits how long data in flight to a dead peer is sent again where no user timeout is set", o.text)
		return true
	case isSysctlTypo(name):
		names := slices.Sorted(maps.Keys(sysctls))
		if strings.HasPrefix(name, "net.ipv6.") {
			s.remark(o.Place, UnknownWord, "%s: there is no such sysctl: those of net.ipv4 are also for IPv6", o.text)
		} else {
			s.remark(o.Place, UnknownWord, "%s: there is no such sysctl%s", o.text, alike.Question(alike.Nearest(name, names)))
		}
		return true
	default:
		return false
	}
	if before, twice := s.seen[name]; twice && before.text != o.text {
		s.remark(before.Place, Ignored, "%s: %s comes later and replaces it", before.text, o)
	}
	s.seen[name] = o
	if isVariable(text) {
		s.setVariable(option, o)
		return true
	}
	n, err := strconv.ParseInt(text, 0, 64) // proc_dointvec takes 0x and 0 prefixes too
	switch most := sysctlMost(option); {
	case err == nil && n > most && wrongUnit(option, n, o.text) != "":
		s.remark(o.Place, Unit, "%s; it takes at most %d seconds (with HZ=1000; more with a lower HZ)", wrongUnit(option, n, o.text), most)
	case err != nil:
		s.remark(o.Place, Refused, "%s: want a whole number: %s", o.text, s.refusal)
	case n > most && option == platform.Count, option == platform.Count && n < 0:
		s.remark(o.Place, Refused, "%s: it takes 0 to 255: %s", o.text, s.refusal)
	case n > most:
		s.remark(o.Place, Refused, "%s: it takes at most %d seconds (with HZ=1000; more with a lower HZ): %s", o.text, most, s.refusal)
	case n <= 0:
		s.remark(o.Place, Refused, "%s: the kernel takes it without a check, and probes then have no sensible pause or number: want 1 or more", o.text)
	default:
		s.leg.set(option, n, true, o)
	}
	return true
}

// isSysctlTypo reports whether a name is nearly one of keepalive.
func isSysctlTypo(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return strings.HasPrefix(name, "net.ip") && strings.Contains(name, "keepalive") ||
		nearly(last, "tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes") ||
		nearly(name, slices.Collect(maps.Keys(sysctls))...) && strings.Contains(name, "alive")
}

// sysctlRoots are the directories of /proc/sys. What is in them depends on the kernel.
var sysctlRoots = pattern(`^(abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm|xen)[./]`)

// sysctlMost is what the kernel takes (tcp_keepalive_time and tcp_keepalive_intvl are kept
// in jiffies, proc_dointvec_jiffies; tcp_keepalive_probes in a byte, proc_dou8vec_minmax;
// net/ipv4/sysctl_net_ipv4.c).
func sysctlMost(o platform.Option) int64 {
	if o == platform.Count {
		return 255
	}
	const worstHZ = 1000
	return (1<<31 - 1) / worstHZ
}

// sysctlName has dots between its parts, as sysctl(8) takes both: if a slash comes first,
// the dots belong to a part.
func sysctlName(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '/' {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return name
}

// readSysctl reads sysctl.conf(5) and sysctl.d(5).
func readSysctl(s *source) error {
	l := sysctlsOf(s.at(1), "sockets whose program leaves the times to the system")
	any := false
	err := s.lines("#;", func(line int, text string) error {
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if !ok {
			if strings.HasPrefix(name, "-") { // sysctl.d(5): the settings that match it are left out
				return nil
			}
			return wrong(s.at(line), "name = value")
		}
		name = strings.TrimPrefix(name, "-") // an error is ignored
		s.word(s.at(line), name, sysctlRoots().MatchString(name), isSysctlTypo(sysctlName(name)))
		if l.set(name, strings.TrimSpace(value), origin{s.at(line), text}) && !any {
			any, l.Place = true, s.at(line)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case any:
		s.addSysctls(l)
	case strings.TrimSpace(s.Text) != "":
		s.implied(l)
	}
	return nil
}

// implied adds the leg of sockets whose sysctls are all inherited.
func (s *source) implied(l *sysctlLeg) {
	l.Implied = true
	s.add(l.leg)
}

// addSysctls adds the leg, or only what there is to say if no value is left.
func (s *source) addSysctls(l *sysctlLeg) {
	if len(l.values) > 0 {
		s.add(l.leg)
		return
	}
	for _, r := range l.Remarks {
		s.remark(r.Place, r.Kind, "%s", r.Text)
	}
}
