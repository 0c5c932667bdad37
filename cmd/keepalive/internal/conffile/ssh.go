package conffile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// ssh and sshd only switch TCP keepalive on, which is their default; its times are the
// system's. Their heartbeats are data: ServerAliveInterval and ClientAliveInterval, off by
// default, and Count of them unanswered end the connection. Of each keyword the first value
// counts; in sshd_config those of a matching Match block come before all others.
// ssh_config(5), sshd_config(5), sshd's time formats: convtime in misc.c

// sshWords are the keywords of one program, in lower case.
type sshWords struct {
	program            string
	keepalive          []string // TCPKeepAlive and its old name
	interval, countMax string
	foreign            []string // those of the other program, which this one refuses
	block              []string // start blocks
}

var sshClient = sshWords{"ssh", []string{"tcpkeepalive", "keepalive"}, "serveraliveinterval", "serveralivecountmax",
	[]string{"clientaliveinterval", "clientalivecountmax"}, []string{"host", "match"}}

var sshServer = sshWords{"sshd", []string{"tcpkeepalive", "keepalive"}, "clientaliveinterval", "clientalivecountmax",
	[]string{"serveraliveinterval", "serveralivecountmax"}, []string{"match"}}

// An sshBlock is what stands before the first Host or Match, or in one of them.
type sshBlock struct {
	Place
	title  string // "" for what is before
	values map[string]sshValue
	order  []string
}

type sshValue struct {
	value string
	origin
}

// everybody reports whether a block is for all connections.
func (b *sshBlock) everybody() bool {
	return b.title == "" || strings.EqualFold(b.title, "Host *") || strings.EqualFold(b.title, "Match all")
}

func readSSH(s *source) error  { return s.ssh(sshClient) }
func readSSHD(s *source) error { return s.ssh(sshServer) }

func (s *source) ssh(w sshWords) error {
	blocks := []*sshBlock{{Place: s.at(1), values: map[string]sshValue{}}}
	if err := s.sshBlocks(w, &blocks, 0); err != nil {
		return err
	}
	found := false
	for i, b := range blocks {
		if len(b.values) > 0 {
			found = true
			s.sshLater(w, blocks[:i], b)
		}
	}
	if !found {
		return nil
	}
	everybody := &sshBlock{Place: blocks[0].Place, values: map[string]sshValue{}}
	for _, b := range blocks {
		if b.everybody() && (w.program == "ssh" || b.title != "") {
			everybody.fill(b)
		}
	}
	for _, b := range blocks {
		if b.everybody() { // of sshd, what is outside of blocks comes last
			everybody.fill(b)
		}
	}
	if len(everybody.values) > 0 {
		s.sshLeg(w, everybody, "all connections")
	}
	for i, b := range blocks {
		if b.everybody() || len(b.values) == 0 {
			continue
		}
		own := &sshBlock{Place: b.Place, values: map[string]sshValue{}}
		if w.program == "ssh" { // what comes before, for everybody, counts first
			for _, before := range blocks[:i] {
				if before.everybody() {
					own.fill(before)
				}
			}
		}
		own.fill(b)
		own.fill(everybody)
		s.sshLeg(w, own, "connections of "+b.title)
	}
	return nil
}

// fill adds the values that are not there yet.
func (b *sshBlock) fill(from *sshBlock) {
	for _, k := range from.order {
		if _, has := b.values[k]; !has {
			b.values[k] = from.values[k]
			b.order = append(b.order, k)
		}
	}
}

// sshLine is a keyword, a space or an =, and the arguments.
var sshLine = pattern(`^([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$`)

func (s *source) sshBlocks(w sshWords, blocks *[]*sshBlock, depth int) error {
	return s.lines("#", func(line int, text string) error {
		at := s.at(line)
		m := sshLine().FindStringSubmatch(text)
		if m == nil {
			if isSSHAlive(strings.ToLower(text)) {
				s.remark(at, Refused, "%s: want a value: %s does not start", text, w.program)
				return nil
			}
			return wrong(at, "a keyword and its value")
		}
		key, args := strings.ToLower(m[1]), sshArgs(m[2])
		o := origin{at, m[1] + " " + strings.Join(args, " ")}
		b := (*blocks)[len(*blocks)-1]
		switch {
		case contains(w.block, key):
			*blocks = append(*blocks, &sshBlock{Place: at, title: o.text, values: map[string]sshValue{}})
		case key == "include":
			return s.sshInclude(w, blocks, args, at, depth)
		case contains(w.keepalive, key) && len(args) > 0:
			if w.program == "sshd" && b.title != "" {
				s.remark(at, Refused, "%s: sshd takes it outside of Match blocks only, and does not start", o.text)
				return nil
			}
			b.take(s, "tcpkeepalive", args[0], o)
		case (key == w.interval || key == w.countMax) && len(args) > 0:
			b.take(s, key, args[0], o)
		case contains(w.foreign, key):
			s.remark(at, UnknownWord, "%s: that is a keyword of %s, which %s refuses", o.text, map[string]string{"ssh": "sshd_config", "sshd": "ssh_config"}[w.program], w.program)
		case isSSHAlive(key):
			known := []string{"TCPKeepAlive", "ServerAliveInterval", "ServerAliveCountMax"}
			if w.program == "sshd" {
				known = []string{"TCPKeepAlive", "ClientAliveInterval", "ClientAliveCountMax"}
			}
			s.remark(at, UnknownWord, "%s: %s has no such keyword and does not start%s", o.text, w.program, alike.Question(alike.Nearest(m[1], known)))
		}
		return nil
	})
}

func isSSHAlive(key string) bool {
	return strings.Contains(key, "keepalive") || strings.HasPrefix(key, "serveralive") || strings.HasPrefix(key, "clientalive")
}

// take keeps the first value of a block.
func (b *sshBlock) take(s *source, key, value string, o origin) {
	if before, has := b.values[key]; has {
		if before.value != value {
			s.remark(o.Place, Ignored, "%s: %s comes first, and the first counts", o.text, before.origin)
		}
		return
	}
	b.values[key] = sshValue{value, o}
	b.order = append(b.order, key)
}

// sshArgs splits arguments; double quotes hold spaces.
func sshArgs(text string) (args []string) {
	var w strings.Builder
	quoted, inWord := false, false
	for _, c := range text + " " {
		switch {
		case c == '"':
			quoted, inWord = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if inWord {
				args = append(args, w.String())
			}
			w.Reset()
			inWord = false
		case c == '#' && !inWord:
			return args
		default:
			inWord = true
			w.WriteRune(c)
		}
	}
	return args
}

func (s *source) sshInclude(w sshWords, blocks *[]*sshBlock, patterns []string, at Place, depth int) error {
	if depth >= maxIncludes {
		return wrong(at, "files that include each other at most %d deep", maxIncludes)
	}
	for _, pattern := range patterns {
		for _, f := range s.include(at, pattern) {
			in := *s
			in.File = f
			before := (*blocks)[len(*blocks)-1]
			if err := in.sshBlocks(w, blocks, depth+1); err != nil {
				return err
			}
			if last := (*blocks)[len(*blocks)-1]; last != before { // its blocks end with the file
				*blocks = append(*blocks, &sshBlock{Place: at, title: before.title, values: map[string]sshValue{}})
			}
		}
	}
	return nil
}

// sshLater finds values of ssh_config that never count, because a block for all hosts has
// them before.
func (s *source) sshLater(w sshWords, before []*sshBlock, b *sshBlock) {
	if w.program != "ssh" {
		return
	}
	for _, key := range b.order {
		for _, earlier := range before {
			v, has := earlier.values[key]
			if has && earlier.everybody() && v.value != b.values[key].value {
				s.remark(b.values[key].Place, Ignored, "%s: %s is for all hosts and comes first, and the first counts: put blocks for all hosts last", b.values[key].text, v.origin)
				break
			}
		}
	}
}

func (s *source) sshLeg(w sshWords, b *sshBlock, name string) {
	at := b.Place
	if len(b.order) > 0 {
		at = b.values[b.order[0]].Place
	}
	l := newLeg(at, w.program, name, "")
	l.noUserTimeout = true
	tcp, set := b.values["tcpkeepalive"]
	switch strings.ToLower(tcp.value) {
	case "no", "false":
		l.turn(off, tcp.origin)
	case "yes", "true":
		l.turn(on, tcp.origin)
	default:
		if set {
			l.remark(tcp.Place, Refused, "%s: want yes or no: %s does not start", tcp.text, w.program)
		}
	}
	l.sshHeartbeat(w, b)
	s.add(l)
}

func (l *leg) sshHeartbeat(w sshWords, b *sshBlock) {
	interval, has := b.values[w.interval]
	count, hasCount := b.values[w.countMax]
	seconds, bare := int64(0), false
	if has {
		var ok bool
		if seconds, bare, ok = sshTime(interval.value); !ok {
			l.remark(interval.Place, Refused, "%s: want a time such as 60 or 1m30s: %s does not start", interval.text, w.program)
		}
	}
	if bare && seconds >= longIdle && seconds%1000 == 0 {
		l.remark(interval.Place, Unit, "%s", tooManySeconds(seconds, interval.text))
	}
	max := int64(3)
	if hasCount {
		var err error
		if max, err = strconv.ParseInt(count.value, 10, 32); err != nil || max < 0 {
			l.remark(count.Place, Refused, "%s: want a whole number: %s does not start", count.text, w.program)
			max = 3
		} else if seconds == 0 {
			l.remark(count.Place, Ignored, "%s: no effect without %s, which is 0 by default", count.text, w.intervalName())
		}
	}
	if seconds <= 0 {
		if l.state == off {
			l.remark(l.Place, Note, "neither TCP keepalive nor %s is on: a dead peer is noticed only when something is sent", w.intervalName())
		}
		return
	}
	l.Heartbeat = time.Duration(min(seconds, 1<<31)) * time.Second
	l.HeartbeatText = fmt.Sprintf("%s (%s)", interval.text, interval.Place)
	if max == 0 {
		if w.program == "sshd" {
			l.remark(count.Place, Note, "%s: sshd sends heartbeats and never gives a peer up for them (since OpenSSH 8.2)", count.text)
		}
		return
	}
	l.remark(interval.Place, Note, "%s is a heartbeat of %s, sent as data: a dead peer is given up after %d unanswered ones, %s", interval.text, w.program, max, long(seconds*max))
}

func (w sshWords) intervalName() string {
	if w.program == "sshd" {
		return "ClientAliveInterval"
	}
	return "ServerAliveInterval"
}

var sshPart = pattern(`^(\d+)([smhdwSMHDW]?)`)

// sshTime reads 90, 1m30s, 2h as convtime does.
func sshTime(text string) (seconds int64, bare, ok bool) {
	bare = strings.Trim(text, "0123456789") == ""
	if strings.EqualFold(text, "none") {
		return 0, false, true
	}
	for rest := text; rest != ""; {
		m := sshPart().FindStringSubmatch(rest)
		if m == nil {
			return 0, false, false
		}
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil {
			return 0, false, false
		}
		seconds += n * map[string]int64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[strings.ToLower(m[2])]
		if seconds > 1<<31-1 {
			return 0, false, false
		}
		rest = rest[len(m[0]):]
	}
	return seconds, bare, text != ""
}
