package conffile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// libpq sets the options before it connects, and does not connect if the kernel refuses
// one (PQconnectPoll and setKeepalivesIdle in src/interfaces/libpq/fe-connect.c). Its
// documentation says that 0 is the system's default; libpq hands 0, and negative numbers
// as 0, to the kernel, which refuses them for all but the user timeout (seen with libpq 15).
// https://www.postgresql.org/docs/current/libpq-connect.html

const libpqRefusal = "libpq does not connect"

// libpqOptions are those that set a number.
var libpqOptions = map[string]platform.Option{
	"keepalives_idle":     platform.Idle,
	"keepalives_interval": platform.Interval,
	"keepalives_count":    platform.Count,
	"tcp_user_timeout":    platform.UserTimeout,
}

// libpqKeywords are the keywords that have to do with keepalive.
var libpqKeywords = []string{"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}

// libpqURI finds a URI in a line, as it stands or as the value of a variable.
var libpqURI = pattern(`^(?:(?:export\s+)?\w+\s*=\s*)?["']?(postgres(?:ql)?://[^\s"']*)["']?(?:\s+#.*)?$`)

// libpqURIs finds out whether there is such a line, libpqSection whether there are services.
var (
	libpqURIs    = pattern(`(?m)^\s*(?:(?:export\s+)?\w+\s*=\s*)?["']?postgres(ql)?://`)
	libpqScheme  = pattern(`postgres(ql)?://`)
	libpqSection = pattern(`(?m)^\s*\[[^\]\n]+\]\s*$`)
)

// readLibpq reads URIs, one a line, a conninfo string, or the services of pg_service.conf.
func readLibpq(s *source) error {
	text := strings.TrimSpace(s.Text)
	switch {
	case libpqSection().MatchString(text):
		return s.services()
	case libpqURIs().MatchString(text):
		return s.lines("#", func(line int, text string) error {
			m := libpqURI().FindStringSubmatch(text)
			if m == nil || strings.Count(m[1], "://") > 1 {
				if libpqScheme().MatchString(text) { // or it is another variable of an environment file
					s.remark(s.at(line), Unread, "there is a URI of PostgreSQL in this line, which is not understood: write one URI on each line, alone or as the value of a variable")
				}
				return nil
			}
			list, err := libpqURIParameters(s.at(line), m[1])
			if err != nil {
				return err
			}
			s.libpq(list, s.at(line), true)
			return nil
		})
	}
	list, err := s.conninfo(s.Text, 1)
	if err != nil {
		return err
	}
	for _, p := range list {
		s.libpqWord(p)
	}
	for _, one := range s.conninfos(list) {
		s.libpq(one, one[0].Place, false)
	}
	return nil
}

// libpqWord counts a parameter.
func (s *source) libpqWord(p parameter) {
	s.word(p.Place, p.name, libpqWords()[p.name], isLibpqKeepalive(p.name))
}

// libpqUnknown finds a parameter that libpq has not, and refuses. Who reads a URI is not known,
// and other drivers have parameters of their own.
func (s *source) libpqUnknown(p parameter, uri bool) {
	switch {
	case libpqWords()[p.name] || isLibpqKeepalive(p.name):
	case uri && p.name == "ssl": // =true, which libpq takes in a URI (conninfo_uri_parse_params)
	case uri:
		s.remark(p.Place, Unread, "%s: libpq has no such parameter and does not connect: if another driver reads this URI, what it does about keepalive is not known here", p.name)
	default:
		s.remark(p.Place, UnknownWord, "%s: libpq has no such parameter and does not connect%s", p.name, alike.Question(alike.Nearest(p.name, slices.Sorted(maps.Keys(libpqWords())))))
	}
}

// libpq adds the leg of one connection string. uri says that it is a URI.
func (s *source) libpq(list []parameter, at Place, uri bool) {
	last := map[string]parameter{}
	found := false
	for _, p := range list {
		s.libpqUnknown(p, uri)
		if isLibpqKeepalive(p.name) {
			found = true
			if before, twice := last[p.name]; twice {
				s.remark(before.Place, Ignored, "%s=%s: it comes again, and libpq takes the last", p.name, before.value)
			}
		} else if before, twice := last[p.name]; twice && before.value != p.value { // which may be secret
			s.remark(before.Place, Ignored, "%s: it comes again, and libpq takes the last", p.name)
		}
		last[p.name] = p
	}
	name := "the connection"
	if host := hostOf(last); host != "" {
		name += " to " + host
	} else if service := last["service"].value; service != "" {
		name = "connections of service " + service
	}
	l := newLeg(at, "libpq", name, libpqRefusal)
	l.Implied = !found
	for _, p := range list {
		if isLibpqKeepalive(p.name) && last[p.name] == p {
			l.libpq(p)
		}
	}
	if host := hostOf(last); l.Implied { // nothing is set that a Unix socket could ignore
	} else if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
		l.remark(at, Ignored, "host %s is a Unix socket, on which libpq sets none of this", host)
	} else if host == "" && last["service"].value == "" {
		l.remark(at, Note, "no host is named: without PGHOST libpq uses a Unix socket, on which it sets none of this")
	}
	s.add(l)
}

func hostOf(last map[string]parameter) string {
	if a := last["hostaddr"].value; a != "" {
		return a
	}
	return last["host"].value
}

// isLibpqKeepalive reports whether a keyword is one of keepalive, or mistyped.
func isLibpqKeepalive(name string) bool {
	return slices.Contains(libpqKeywords, name) || strings.Contains(name, "keepalive") || strings.Contains(name, "user_timeout") ||
		!libpqWords()[name] && nearly(name, libpqKeywords...)
}

func (l *leg) libpq(p parameter) {
	o := origin{p.Place, p.name + "=" + p.value}
	option, isNumber := libpqOptions[p.name]
	if !isNumber && p.name != "keepalives" {
		l.remark(o.Place, UnknownWord, "%s: libpq has no such parameter and does not connect%s", p.name, alike.Question(alike.Nearest(p.name, libpqKeywords)))
		return
	}
	if isVariable(p.value) {
		if isNumber {
			l.setVariable(option, o)
		} else {
			l.remark(o.Place, Unread, "%s: whether keepalive is on depends on a variable", o.text)
		}
		return
	}
	n, err := strconv.ParseInt(strings.Trim(p.value, " \t\r\n\f\v"), 10, 32) // parse_int_param
	switch {
	case err != nil:
		l.remark(o.Place, Refused, "%s: want a whole number without a unit: libpq does not connect", o.text)
	case !isNumber && n == 0:
		l.turn(off, o)
	case !isNumber:
		l.turn(on, o)
	case option == platform.UserTimeout:
		l.set(option, max(n, 0), true, o)
	case n <= 0:
		l.remark(o.Place, Refused, "%s: the documentation says that 0 is the system's default, and libpq hands it to the kernel, which refuses it: leave it out, or libpq does not connect", o.text)
	default:
		l.set(option, n, true, o)
	}
}
