package conffile

import (
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// redis-server sets the idle time to tcp-keepalive, the interval to a third of it, at least
// 1 s, and the count to 3, in this order, and stops at what the kernel refuses
// (anetKeepAlive in src/anet.c). tcp-keepalive is 300 if it is not set (src/config.c).

const redisRefusal = "redis-server switches keepalive on and stops there: the system's defaults stay"

type redisLine struct {
	args []string
	origin
}

func readRedis(s *source) error {
	last := map[string]redisLine{}
	if err := s.redis(last, 0); err != nil {
		return err
	}
	d, found := last["tcp-keepalive"]
	if !found {
		d.Place = s.at(1)
	}
	l := accepted(d.Place, "redis-server", "connections of clients", redisRefusal)
	l.noUserTimeout = true
	if found {
		l.redis(d)
	} else {
		l.redisDefault()
	}
	if t, ok := last["timeout"]; ok && len(t.args) == 2 {
		if n, err := strconv.ParseInt(t.args[1], 10, 32); err == nil && n > 0 {
			l.remark(t.Place, Note, "%s: redis-server itself closes a client that is silent for so many seconds, unless it only listens to channels, and probes do not put that off", t.text)
			l.closes(Closing{After: time.Duration(n) * time.Second, Text: t.of(), Protocol: "Redis"})
		}
	}
	if p, ok := last["port"]; ok && len(p.args) == 2 && p.args[1] == "0" {
		if t, ok := last["tls-port"]; !ok || len(t.args) == 2 && t.args[1] == "0" {
			if !found {
				return nil
			}
			l.remark(p.Place, Ignored, "%s: redis-server has no TCP port, so tcp-keepalive has no effect", p.text)
		}
	}
	l.Implied = !found && l.Closing.After == 0
	s.add(l)
	return nil
}

// redisDefault sets what redis-server has if its file has no tcp-keepalive.
func (l *leg) redisDefault() {
	l.setBy(platform.Idle, 300, "redis-server: 300 by default", origin{})
	l.setBy(platform.Interval, 100, "redis-server: a third of tcp-keepalive", origin{})
	l.setBy(platform.Count, 3, "redis-server", origin{})
}

func (s *source) redis(last map[string]redisLine, depth int) error {
	return s.lines("#", func(line int, text string) error {
		args, ok := redisArgs(text)
		if !ok {
			return wrong(s.at(line), "balanced quotes")
		}
		if len(args) == 0 {
			return nil
		}
		name := strings.ToLower(args[0])
		o := origin{s.at(line), strings.Join(args, " ")}
		typo := isRedisTypo(name)
		_, module := last["loadmodule"]
		s.word(o.Place, args[0], redisWords()[name] || module && strings.Contains(name, "."), typo)
		switch {
		case name == "include" && len(args) == 2:
			return s.eachIncluded(o.Place, args[1], depth, func(in *source) error { return in.redis(last, depth+1) })
		case typo:
			s.remark(o.Place, UnknownWord, "%s: redis-server has no such directive and does not start: did you mean tcp-keepalive?", o.text)
			return nil
		}
		if before, twice := last[name]; twice && name == "tcp-keepalive" && before.text != o.text {
			s.remark(before.Place, Ignored, "%s: %s comes later and replaces it", before.text, o)
		}
		last[name] = redisLine{args, o}
		return nil
	})
}

func isRedisTypo(name string) bool {
	return !redisWords()[name] && (strings.Contains(strings.ReplaceAll(name, "-", ""), "keepalive") || alike.Mistyped(name, "tcp-keepalive"))
}

func (l *leg) redis(d redisLine) {
	if len(d.args) != 2 {
		l.remark(d.Place, Refused, "%s: want one number: redis-server does not start", d.text)
		return
	}
	n, err := strconv.ParseInt(d.args[1], 10, 64)
	switch {
	case err != nil || n < 0 || n > 1<<31-1:
		l.remark(d.Place, Refused, "%s: want 0 to 2147483647, in seconds and without a unit: redis-server does not start", d.text)
		return
	case n == 0:
		l.turn(off, d.origin)
		return
	}
	l.turn(on, d.origin)
	l.set(platform.Idle, n, true, d.origin)
	if takes(platform.Idle, n) {
		l.setBy(platform.Interval, max(1, n/3), "redis-server: a third of tcp-keepalive", d.origin)
		l.setBy(platform.Count, 3, "redis-server", d.origin)
	}
}

// redisArgs splits a line as sdssplitargs in src/sds.c does, as far as escapes do not
// matter here: quotes hold spaces, and a space has to follow them.
func redisArgs(text string) (args []string, ok bool) {
	for {
		text = strings.TrimLeft(text, " \t\r\n\x00")
		if text == "" {
			return args, true
		}
		var w strings.Builder
		i := 0
		for i < len(text) && strings.IndexByte(" \t\r\n\x00", text[i]) < 0 {
			q := text[i]
			if q != '"' && q != '\'' {
				w.WriteByte(q)
				i++
				continue
			}
			for i++; i < len(text) && text[i] != q; i++ {
				if text[i] == '\\' && i+1 < len(text) {
					i++
				}
				w.WriteByte(text[i])
			}
			if i++; i > len(text) || i < len(text) && strings.IndexByte(" \t\r\n\x00", text[i]) < 0 {
				return nil, false
			}
		}
		args = append(args, w.String())
		text = text[i:]
	}
}
