package conffile

import (
	"net/url"
	"slices"
	"strings"
)

// A parameter is a keyword of a connection string and its value.
type parameter struct {
	name, value string
	Place
}

// services reads pg_service.conf.
func (s *source) services() error {
	var list []parameter
	at := s.at(1)
	name := ""
	flush := func() {
		s.libpq(append(list, parameter{"service", name, at}), at, false)
		list = nil
	}
	err := s.lines("#", func(line int, text string) error {
		if strings.HasPrefix(text, "[") {
			if name != "" {
				flush()
			}
			at, name = s.at(line), strings.Trim(text, "[] \t")
			return nil
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return wrong(s.at(line), "[service] or keyword=value")
		}
		p := parameter{strings.TrimSpace(key), strings.TrimSpace(value), s.at(line)}
		if i := slices.IndexFunc(list, func(before parameter) bool { return before.name == p.name }); i >= 0 { // parseServiceInfo in fe-connect.c
			s.remark(p.Place, Ignored, "%s: it stands in line %d too, and of a service libpq takes the first", p.name, list[i].Line)
			return nil
		}
		s.libpqWord(p)
		list = append(list, p)
		return nil
	})
	if err == nil && name != "" {
		flush()
	}
	return err
}

// conninfo reads keyword=value pairs as conninfo_parse in fe-connect.c does. Errors show
// keywords and no values, one of which may be a password.
func (s *source) conninfo(text string, line int) ([]parameter, error) {
	var list []parameter
	i := 0
	space := func() {
		for i < len(text) && strings.IndexByte(" \t\r\n\f\v", text[i]) >= 0 {
			if text[i] == '\n' {
				line++
			}
			i++
		}
	}
	for {
		if space(); i >= len(text) {
			return list, nil
		}
		p := parameter{Place: s.at(line)}
		start := i
		for i < len(text) && text[i] != '=' && strings.IndexByte(" \t\r\n\f\v", text[i]) < 0 {
			i++
		}
		p.name = text[start:i]
		if space(); i >= len(text) || text[i] != '=' {
			return nil, wrong(p.Place, "a = after each keyword, and quotes around a value with spaces")
		}
		i++
		space()
		var value strings.Builder
		quoted := i < len(text) && text[i] == '\''
		if quoted {
			i++
		}
		for ; ; i++ {
			if i >= len(text) {
				if quoted {
					return nil, wrong(p.Place, "the end of the quotes around the value of %q", p.name)
				}
				break
			}
			c := text[i]
			if c == '\n' {
				line++
			}
			if quoted && c == '\'' {
				i++
				break
			}
			if !quoted && strings.IndexByte(" \t\r\n\f\v", c) >= 0 {
				if c == '\n' {
					line-- // space() counts it
				}
				break
			}
			if c == '\\' {
				if i++; i >= len(text) {
					continue
				}
				c = text[i]
			}
			value.WriteByte(c)
		}
		p.value = value.String()
		list = append(list, p)
	}
}

// conninfos splits the parameters of a text that has a connection string on each line. A line
// begins another one if a keyword comes again, which in one string replaces the first.
func (s *source) conninfos(list []parameter) (all [][]parameter) {
	seen := map[string]bool{}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Line == list[0].Line {
			n++
		}
		line := list[:n]
		again := slices.IndexFunc(line, func(p parameter) bool { return seen[p.name] })
		if again >= 0 || len(all) == 0 {
			clear(seen)
			all = append(all, nil)
		}
		if again >= 0 {
			s.remark(line[again].Place, Note, "%s comes again: this line is read as a connection string of its own", line[again].name)
		}
		all[len(all)-1] = append(all[len(all)-1], line...)
		for _, p := range line {
			seen[p.name] = true
		}
		list = list[n:]
	}
	return all
}

// libpqURIParameters reads postgresql://[user[:password]@][host][:port][,...][/dbname][?name=value&...].
func libpqURIParameters(at Place, uri string) ([]parameter, error) {
	_, rest, _ := strings.Cut(uri, "://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(hosts, '@'); i >= 0 {
		hosts = hosts[i+1:]
	}
	var list []parameter
	if hosts != "" {
		host, err := url.PathUnescape(hosts)
		if err != nil {
			return nil, wrong(at, "a host with valid %%-escapes")
		}
		list = append(list, parameter{"host", host, at})
	}
	if query == "" {
		return list, nil
	}
	for _, pair := range strings.Split(query, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || strings.Contains(value, "=") {
			return nil, wrong(at, "name=value in the query, and %%3D for a = in a value")
		}
		n, err1 := url.PathUnescape(name)
		v, err2 := url.PathUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, wrong(at, "valid %%-escapes in the query parameter %q", name)
		}
		list = append(list, parameter{n, v, at})
	}
	return list, nil
}
