package conffile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// systemd sets the options on the listening socket (socket_apply_socket_options in
// src/core/socket.c), in whole seconds, cut off; connections inherit them on Linux. It sets
// the times also with KeepAlive=no, where they have no effect unless the service switches
// keepalive on. What it cannot parse, and what the kernel refuses, it logs and ignores.
// systemd.socket(5), systemd.time(7)

const systemdRefusal = "systemd logs it, and the system's default stays"

var systemdKeys = []string{"KeepAlive", "KeepAliveTimeSec", "KeepAliveIntervalSec", "KeepAliveProbes"}

// systemdSections are those of all kinds of units. Of keys that it does not know systemd only
// logs a warning, so those that have nothing to do with keepalive are left to it.
var systemdSections = pattern(`^\[(Unit|Install|Socket|Service|Mount|Automount|Swap|Path|Timer|Slice|Scope)\]$`)

type systemdReader struct {
	*source
	*leg
	found bool
	tcp   bool
	other *origin // a Listen* that is not TCP
}

func readSystemd(s *source) error {
	r := &systemdReader{source: s, leg: accepted(s.at(1), "systemd", "connections that the socket unit accepts", systemdRefusal)}
	r.noUserTimeout, r.setsWhenOff = true, true
	r.turn(off, origin{})
	section := ""
	err := systemdLines(s, func(line int, text string) error {
		if strings.HasPrefix(text, "[") {
			if !strings.HasSuffix(text, "]") {
				return wrong(s.at(line), "a ] at the end of the section's name")
			}
			section = text
			s.word(s.at(line), strings.Trim(section, "[]"), systemdSections().MatchString(section) || strings.HasPrefix(section, "[X-"), false)
			return nil
		}
		key, value, ok := strings.Cut(text, "=")
		switch {
		case !ok:
			return wrong(s.at(line), "[Section] or Key=value")
		case section == "":
			return wrong(s.at(line), "a section such as [Socket] before %s", strings.TrimSpace(key))
		}
		r.key(section, strings.TrimSpace(key), strings.TrimSpace(value), s.at(line))
		return nil
	})
	if err != nil {
		return err
	}
	if !r.found {
		if r.tcp {
			r.Implied = true
			s.add(r.leg)
		}
		return nil
	}
	if r.other != nil && !r.tcp {
		r.leg.remark(r.other.Place, Ignored, "%s is not TCP, which alone has keepalive", r.other.text)
	}
	r.leg.remark(r.Place, Note, "a service in Go overwrites this on every connection that it accepts, unless it uses listener.Restore")
	s.add(r.leg)
	return nil
}

// systemdLines calls f for each line; a backslash at the end of a line continues it.
func systemdLines(s *source, f func(line int, text string) error) error {
	joined, from := "", 0
	n := 0
	for text := range strings.Lines(s.Text) {
		n++
		text = strings.TrimSpace(text)
		comment := text != "" && (text[0] == '#' || text[0] == ';')
		switch {
		case comment: // also within a continued line
			continue
		case joined == "":
			joined, from = text, n
		default:
			joined += " " + text
		}
		if rest, more := strings.CutSuffix(joined, `\`); more {
			joined = strings.TrimSpace(rest) + " "
			continue
		}
		text = strings.TrimSpace(joined)
		joined = ""
		if text == "" {
			continue
		}
		if err := f(from, text); err != nil {
			return err
		}
	}
	if text := strings.TrimSpace(joined); text != "" {
		return f(from, text)
	}
	return nil
}

func (r *systemdReader) key(section, key, value string, at Place) {
	o := origin{at, key + "=" + value}
	if strings.HasPrefix(strings.ToLower(key), "keepalive") || section == "[Socket]" && nearly(key, systemdKeys...) {
		if !r.found {
			r.found, r.Place = true, at
		}
		switch {
		case section != "[Socket]":
			r.leg.remark(at, Ignored, "%s stands in %s: systemd takes it in [Socket] only", o.text, section)
			return
		case !slices.Contains(systemdKeys, key):
			r.leg.remark(at, UnknownWord, "%s: systemd has no such setting and ignores it%s", o.text, alike.Question(alike.Nearest(key, systemdKeys)))
			return
		}
	}
	switch {
	case section != "[Socket]":
	case strings.HasPrefix(key, "Listen"):
		if key == "ListenStream" && value != "" && !strings.ContainsRune("/@", rune(value[0])) && !strings.HasPrefix(value, "vsock:") {
			r.tcp = true
		} else if value != "" {
			r.other = &o
		}
	case key == "KeepAlive":
		switch strings.ToLower(value) { // parse_boolean
		case "1", "yes", "y", "true", "t", "on":
			r.turn(on, o)
		case "0", "no", "n", "false", "f", "off":
			r.turn(off, o)
		default:
			r.leg.remark(at, Refused, "%s: want yes or no: systemd ignores it", o.text)
		}
	case key == "KeepAliveProbes":
		n, err := strconv.ParseUint(value, 0, 32)
		if err != nil {
			r.leg.remark(at, Refused, "%s: want a whole number: systemd ignores it", o.text)
			return
		}
		r.take(platform.Count, int64(n), false, o)
	case key == "KeepAliveTimeSec", key == "KeepAliveIntervalSec":
		option := platform.Idle
		if key == "KeepAliveIntervalSec" {
			option = platform.Interval
		}
		micros, bare, ok := systemdTimespan(value)
		switch {
		case !ok:
			r.leg.remark(at, Refused, "%s: want a time such as 60, 5min or 1h 30min: systemd ignores it", o.text)
		case micros > 0 && micros < 1e6:
			r.leg.remark(at, Refused, "%s: systemd cuts it off to 0 seconds, which the kernel refuses: %s", o.text, systemdRefusal)
		default:
			r.take(option, micros/1e6, bare, o)
		}
	}
}

// take sets an option; 0 leaves it to the system again.
func (r *systemdReader) take(option platform.Option, n int64, bare bool, o origin) {
	delete(r.values, option)
	if n > 0 {
		r.leg.set(option, n, bare, o)
	}
}

// systemdUnits are in microseconds (parse_time in src/basic/time-util.c).
var systemdUnits = map[string]float64{
	"": 1e6, "s": 1e6, "sec": 1e6, "second": 1e6, "seconds": 1e6,
	"ms": 1e3, "msec": 1e3, "us": 1, "usec": 1, "µs": 1, "μs": 1,
	"m": 60e6, "min": 60e6, "minute": 60e6, "minutes": 60e6,
	"h": 3600e6, "hr": 3600e6, "hour": 3600e6, "hours": 3600e6,
	"d": 86400e6, "day": 86400e6, "days": 86400e6,
	"w": 7 * 86400e6, "week": 7 * 86400e6, "weeks": 7 * 86400e6,
	"M": 2629800e6, "month": 2629800e6, "months": 2629800e6,
	"y": 31557600e6, "year": 31557600e6, "years": 31557600e6,
}

var systemdPart = pattern(`^\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]*)`)

// systemdTimespan returns microseconds, and whether the value is a number alone. infinity
// is not set, like 0 (timestamp_is_set).
func systemdTimespan(value string) (micros int64, bare, ok bool) {
	text := strings.TrimSpace(value)
	if text == "infinity" {
		return 0, false, true
	}
	sum := 0.0
	for text != "" {
		m := systemdPart().FindStringSubmatch(text)
		if m == nil {
			return 0, false, false
		}
		unit, known := systemdUnits[m[2]]
		n, err := strconv.ParseFloat(m[1], 64)
		if !known || err != nil {
			return 0, false, false
		}
		sum += n * unit
		text = strings.TrimSpace(text[len(m[0]):])
	}
	const most = 1 << 62
	return int64(min(sum, most)), strings.Trim(strings.TrimSpace(value), "0123456789") == "", value != ""
}
