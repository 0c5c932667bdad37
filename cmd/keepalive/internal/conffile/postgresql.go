package conffile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The PostgreSQL server switches keepalive on for every TCP connection that it accepts, and
// then sets what is not 0; it logs what the kernel refuses, and goes on (pq_init and
// pq_setkeepalivesidle in src/backend/libpq/pqcomm.c).
// https://www.postgresql.org/docs/current/runtime-config-connection.html

const postgresRefusal = "the server logs it, and the system's default stays"

// postgresOptions are the parameters, which are in the units of the kernel.
var postgresOptions = map[string]platform.Option{
	"tcp_keepalives_idle":     platform.Idle,
	"tcp_keepalives_interval": platform.Interval,
	"tcp_keepalives_count":    platform.Count,
	"tcp_user_timeout":        platform.UserTimeout,
}

func isPostgresOption(name string) bool {
	_, is := postgresOptions[name]
	return is
}

// A postgresSetting is a line name = value.
type postgresSetting struct {
	value string
	origin
}

// postgresLine is a name, an optional =, and a value: in quotes, or a word. A number may
// have a unit only in quotes, unless it is whole (guc-file.l).
var postgresLine = pattern(`^([A-Za-z_\x80-\xff][\w.$\x80-\xff]*)(?:\s*=?\s*'((?:[^'\\]|''|\\.)*)'|(?:\s*=\s*|\s+)(-?[\w.:/+$\x80-\xff*-]+))\s*(?:#.*)?$`)

// postgresFraction is a fraction with a unit, which has to be in quotes.
var postgresFraction = pattern(`^-?\d*\.\d+[A-Za-z]`)

func readPostgreSQL(s *source) error {
	set, err := s.postgres(0)
	if err != nil {
		return err
	}
	s.postgresTypos(set)
	if err := s.postgresReplica(set); err != nil {
		return err
	}
	if p, ok := set["client_connection_check_interval"]; ok && strings.Trim(p.value, "0") != "" {
		s.remark(p.Place, Note, "%s: while a query runs, the server also looks whether the connection is closed", p.text)
	}
	l := accepted(s.at(1), "the server", "connections of clients", postgresRefusal)
	any := l.postgresCloses(set)
	for _, name := range []string{"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"} {
		p, ok := set[name]
		if !ok {
			continue
		}
		if !any {
			any, l.Place = true, p.Place
		}
		l.postgres(name, p)
	}
	l.Implied = !any
	if p, ok := set["listen_addresses"]; ok && strings.TrimSpace(p.value) == "" {
		if l.Implied {
			return nil
		}
		l.remark(p.Place, Ignored, "listen_addresses is empty: the server has only Unix sockets, on which it sets none of this")
	}
	s.add(l)
	return nil
}

// postgres reads the settings; the last of a name counts.
func (s *source) postgres(depth int) (map[string]postgresSetting, error) {
	set := map[string]postgresSetting{}
	err := s.lines("#", func(line int, text string) error {
		m := postgresLine().FindStringSubmatch(text)
		if m == nil {
			return wrong(s.at(line), "name = value, with quotes around a value that has spaces or a fraction with a unit")
		}
		name, value := strings.ToLower(m[1]), m[3]
		if m[3] == "" {
			value = strings.NewReplacer("''", "'", `\\`, `\`, `\'`, `'`).Replace(m[2])
		}
		if m[3] != "" && postgresFraction().MatchString(m[3]) {
			return wrong(s.at(line), "quotes around %s", m[3])
		}
		o := origin{s.at(line), fmt.Sprintf("%s = %s", m[1], strings.TrimSpace(value))}
		s.word(o.Place, m[1], postgresqlWords()[name], strings.Contains(name, ".") || isPostgresTypo(name))
		switch name {
		case "include", "include_if_exists", "include_dir":
			return s.postgresInclude(set, name, value, o, depth)
		}
		if before, twice := set[name]; twice && isPostgresOption(name) && before.value != value {
			s.remark(before.Place, Ignored, "%s: %s comes later and replaces it", before.text, o)
		}
		set[name] = postgresSetting{value, o}
		return nil
	})
	return set, err
}

func (s *source) postgresInclude(set map[string]postgresSetting, how, pattern string, o origin, depth int) error {
	if how == "include_dir" {
		pattern = strings.TrimSuffix(pattern, "/") + "/*.conf"
	}
	return s.eachIncluded(o.Place, pattern, depth, func(in *source) error {
		more, err := in.postgres(depth + 1)
		maps.Copy(set, more)
		return err
	})
}

// postgresTypos finds parameters that are nearly those of keepalive. The server takes any
// name with a dot for that of an extension, and refuses others.
func (s *source) postgresTypos(set map[string]postgresSetting) {
	for name, p := range set {
		if isPostgresTypo(name) {
			s.remark(p.Place, UnknownWord, "%s: the server has no such parameter and does not start%s", p.text, alike.Question(alike.Nearest(name, postgresNames())))
		}
	}
}

func postgresNames() []string { return slices.Sorted(maps.Keys(postgresOptions)) }

func isPostgresTypo(name string) bool {
	return !postgresqlWords()[name] && !strings.Contains(name, ".") &&
		(strings.Contains(name, "keepalive") || strings.Contains(name, "tcp_user") || nearly(name, postgresNames()...))
}

// postgresReplica reads how a standby connects to its primary.
func (s *source) postgresReplica(set map[string]postgresSetting) error {
	p, ok := set["primary_conninfo"]
	if !ok || p.value == "" {
		return nil
	}
	in := *s
	in.File.Name = p.File
	list, err := in.conninfo(p.value, p.Line)
	if err != nil {
		return wrong(p.Place, "a conninfo string in primary_conninfo")
	}
	for i := range list {
		list[i].Place = p.Place
	}
	s.libpq(list, p.Place, false)
	return nil
}

// postgresUnits are in microseconds (time_unit_conversion_table in guc.c).
var postgresUnits = map[string]float64{"us": 1, "ms": 1e3, "s": 1e6, "min": 60e6, "h": 3600e6, "d": 86400e6}

var postgresNumber = pattern(`^\s*([-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+))\s*([A-Za-z]*)\s*$`)

func (l *leg) postgres(name string, p postgresSetting) {
	option := postgresOptions[name]
	base := map[platform.Option]string{platform.Idle: "s", platform.Interval: "s", platform.UserTimeout: "ms"}[option]
	if n, bare, ok := l.postgresNumber(base, p); ok && n > 0 {
		l.set(option, n, bare && base != "", p.origin)
	}
}

// postgresCloses reads the server's own timeouts, which are milliseconds.
func (l *leg) postgresCloses(set map[string]postgresSetting) (any bool) {
	if p, ok := set["idle_session_timeout"]; ok {
		if n, _, ok := l.postgresNumber("ms", p); ok && n > 0 {
			any, l.Place = true, p.Place
			l.remark(p.Place, Note, "%s: the server itself ends a session that is silent for so long, and probes do not put that off", p.text)
			l.closes(Closing{After: time.Duration(n) * time.Millisecond, Text: p.of(), Protocol: "SQL"})
		}
	}
	if p, ok := set["idle_in_transaction_session_timeout"]; ok {
		if n, _, ok := l.postgresNumber("ms", p); ok && n > 0 {
			any, l.Place = true, p.Place
			l.remark(p.Place, Note, "%s: the server itself ends a session that is silent for so long in a transaction, and probes do not put that off", p.text)
		}
	}
	return any
}

// postgresNumber reads a number in a unit of the server, "" if it has none. It is not ok if
// the server refuses it.
func (l *leg) postgresNumber(base string, p postgresSetting) (n int64, bare, ok bool) {
	m := postgresNumber().FindStringSubmatch(p.value)
	unit := postgresUnits[base]
	if m != nil && m[2] != "" {
		unit = postgresUnits[m[2]]
	}
	if m == nil || m[2] != "" && (unit == 0 || base == "") {
		want := "a whole number"
		if base != "" {
			want = "a number, alone or with us, ms, s, min, h or d"
		}
		l.remark(p.Place, Refused, "%s: want %s: the server does not start", p.text, want)
		return 0, false, false
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if i, intErr := strconv.ParseInt(m[1], 0, 64); intErr == nil {
		f, err = float64(i), nil
	}
	if base != "" {
		f = f * unit / postgresUnits[base]
	}
	f = math.RoundToEven(f) // rint(), as convert_to_base_unit and parse_int do
	switch {
	case err != nil || f < 0 || f > math.MaxInt32:
		l.remark(p.Place, Refused, "%s: it takes 0 to %d %s: the server does not start", p.text, math.MaxInt32, base)
		return 0, false, false
	case f == 0 && strings.Trim(m[1], "0.") != "":
		l.remark(p.Place, Refused, "%s is rounded to 0, which leaves it to the system", p.text)
	}
	return int64(f), m[2] == "", true
}
