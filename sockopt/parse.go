package sockopt

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// A parseError describes a text that is not a valid Config.
type parseError struct {
	Text     string
	Problems []string // all of them
}

// Error names every problem.
func (e *parseError) Error() string {
	return fmt.Sprintf("sockopt: keepalive %q: %s", e.Text, strings.Join(e.Problems, "; "))
}

// Parse parses the text form of a Config:
//
//	on                                       the zero Config: on, the rest as the system has it
//	off                                      Disabled
//	idle=60s,interval=10s,count=3            any of the fields, in any order
//	idle=60s,user-timeout=90s                user-timeout=off is NoUserTimeout
//	off,user-timeout=30s                     on or off may come first
//	30m::10, 7200:75:9, 1d                   idle:interval:count, as nginx's so_keepalive
//
// A duration is a number of seconds, or is written as in [time.ParseDuration],
// with d and w for days and weeks: 90, 90s, 1h30m, 1d. In the form with colons,
// and in a text that is only an idle time, durations are those of nginx: whole
// seconds, with the units y, M, w, d, h, m and s from large to small, and 0 for
// unset. Numbers have no sign. Parse checks the syntax; [Config.Validate] checks
// the limits of the operating system. The error names all problems.
func Parse(text string) (Config, error) {
	p := parser{err: parseError{Text: text}}
	p.parse(strings.TrimSpace(text))
	if len(p.err.Problems) > 0 {
		return Config{}, &p.err
	}
	return p.cfg, nil
}

type parser struct {
	cfg  Config
	seen map[string]bool
	err  parseError
}

func (p *parser) problem(format string, args ...any) {
	p.err.Problems = append(p.err.Problems, fmt.Sprintf(format, args...))
}

const textForms = "want on, off, idle=60s,interval=10s,count=3,user-timeout=90s or idle:interval:count"

func (p *parser) parse(text string) {
	switch {
	case text == "":
		p.problem("is empty; %s", textForms)
	case text == "on" || text == "off" || strings.ContainsAny(text, "=,"):
		p.fields(text)
	default:
		p.nginx(text)
	}
}

func (p *parser) fields(text string) {
	p.seen = map[string]bool{}
	for i, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		name, value, hasValue := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !hasValue && (name == "on" || name == "off"):
			switch {
			case i > 0 && p.seen["on"] != p.seen["off"]:
				p.problem("on and off exclude each other, and one is enough")
			case i > 0:
				p.problem("%q must come first", name)
			}
			p.seen[name] = true
			p.cfg.Disabled = name == "off"
		case part == "":
			p.problem("has an empty part")
		case !hasValue:
			p.problem("%q is not understood; %s", part, textForms)
		case p.seen[name]:
			p.problem("%s is given twice", name)
		default:
			p.seen[name] = true
			p.field(name, value)
		}
	}
}

func (p *parser) field(name, value string) {
	switch name {
	case "idle":
		p.cfg.Idle = p.duration(name, value)
	case "interval":
		p.cfg.Interval = p.duration(name, value)
	case "count":
		p.cfg.Count = p.count(value)
	case "user-timeout":
		if value == "off" {
			p.cfg.UserTimeout = NoUserTimeout
			return
		}
		p.cfg.UserTimeout = p.duration(name, value)
	default:
		p.problem("unknown field %q; the fields are idle, interval, count and user-timeout", name)
	}
}

func (p *parser) duration(name, value string) time.Duration {
	d, err := duration.Parse(value)
	switch {
	case strings.HasPrefix(value, "+"):
		p.problem("%s=%s has a sign: leave it out", name, value)
	case err != nil:
		p.problem("%s=%v", name, err)
	case d < 0:
		p.problem("%s=%s is negative", name, value)
	case d == 0 && name == "user-timeout":
		p.problem("user-timeout=%s: write user-timeout=off to switch it off, or leave it out to keep what is there", value)
	case d == 0:
		p.problem("%s=%s is zero: leave it out to keep what is there", name, value)
	default:
		return d
	}
	return 0
}

func (p *parser) count(value string) int {
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case strings.HasPrefix(value, "+"):
		p.problem("count=%s has a sign: leave it out", value)
	case errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(value, "-"):
		p.problem("count=%s is more than %d", value, math.MaxInt32)
	case err != nil && !errors.Is(err, strconv.ErrRange):
		p.problem("count=%s is not a whole number", value)
	case n < 0:
		p.problem("count=%s is negative", value)
	case n == 0:
		p.problem("count=%s is zero: leave it out to keep what is there", value)
	default:
		return int(n)
	}
	return 0
}

// String returns the text that [Parse] reads: "on", "off" or
// "idle=60s,interval=10s,count=3,user-timeout=90s".
func (c Config) String() string { return kernel.Request(c).String() }

// MarshalText returns the text that [Parse] reads. A Config with a negative
// value other than [NoUserTimeout] has none.
func (c Config) MarshalText() ([]byte, error) {
	text := c.String()
	if _, err := Parse(text); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// UnmarshalText is [Parse]; with it and MarshalText a *Config is a flag for
// [flag.TextVar]. On an error c stays as it was.
func (c *Config) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}
