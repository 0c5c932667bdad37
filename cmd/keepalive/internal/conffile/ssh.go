package conffile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
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
	debian             []string // other names of interval, in Debian only
	known              func() map[string]bool
}

var sshClient = sshWords{
	program: "ssh", keepalive: []string{"tcpkeepalive", "keepalive"},
	interval: "serveraliveinterval", countMax: "serveralivecountmax",
	foreign: []string{"clientaliveinterval", "clientalivecountmax"}, block: []string{"host", "match"},
	debian: []string{"protocolkeepalives", "setuptimeout"}, known: sshWordList,
}

var sshServer = sshWords{
	program: "sshd", keepalive: []string{"tcpkeepalive", "keepalive"},
	interval: "clientaliveinterval", countMax: "clientalivecountmax",
	foreign: []string{"serveraliveinterval", "serveralivecountmax"}, block: []string{"match"}, known: sshdWordList,
}

func readSSH(s *source) error { return s.ssh(sshClient) }

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
	if len(everybody.values) == 0 {
		name := "all connections"
		if found {
			name = "all other connections"
		}
		s.sshLeg(w, everybody, name)
		s.doc.Legs[len(s.doc.Legs)-1].Implied = true
	}
	return nil
}

func (s *source) sshLeg(w sshWords, b *sshBlock, name string) {
	at := b.Place
	if len(b.order) > 0 {
		at = b.values[b.order[0]].Place
	}
	l := newLeg(at, w.program, name, "")
	l.Server = w.program == "sshd"
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
	every := time.Duration(min(seconds, 1<<31)) * time.Second
	if max == 0 && w.program == "ssh" { // server_alive_check in clientloop.c counts before it sends
		l.remark(count.Place, Ends, "%s: ssh ends a session at the first %s that is silent, before it has sent anything: write 1 or more", count.text, w.intervalName())
		l.closes(Closing{After: every, Text: count.of()})
		return
	}
	l.Heartbeat, l.silence = every, every
	l.HeartbeatText = fmt.Sprintf("%s (%s)", interval.text, interval.Place)
	if w.program == "sshd" {
		// With an interval of 2 s, messages of OpenSSH 9.2 leave 2, 6 and 10 s after the last
		// segment, and it gives up after 14 s. As documented, it would be 2, 4 and 6 s, and 8 s.
		l.silence = 2 * every
		l.HeartbeatText = fmt.Sprintf("%s (%s: up to %s between two, in OpenSSH 9.2)", interval.text, interval.Place, duration.Seconds(l.silence))
	}
	switch {
	case max == 0:
		l.remark(count.Place, Note, "%s: sshd sends heartbeats and never gives a peer up for them (since OpenSSH 8.2)", count.text)
	case w.program == "sshd":
		l.remark(interval.Place, Note, "%s is a heartbeat of sshd, sent as data: a dead peer is given up after %d unanswered ones, %s, or up to %s in OpenSSH 9.2, which waits two intervals between them", interval.text, max, long(seconds*(max+1)), long(seconds*(2*max+1)))
	default:
		l.remark(interval.Place, Note, "%s is a heartbeat of ssh, sent as data: a dead peer is given up after %d unanswered ones, %s", interval.text, max, long(seconds*(max+1)))
	}
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
