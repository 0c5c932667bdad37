package conffile

import (
	"path"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// An sshBlock is what stands before the first Host or Match, or in one of them.
type sshBlock struct {
	Place
	title  string // "" for what is before
	values map[string]sshValue
	order  []string
	// ignored are the patterns of IgnoreUnknown.
	ignored string
}

type sshValue struct {
	value string
	origin
}

// everybody reports whether a block is for all connections.
func (b *sshBlock) everybody() bool {
	return b.title == "" || strings.EqualFold(b.title, "Host *") || strings.EqualFold(b.title, "Match all")
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
				s.words.near++
				s.remark(at, Refused, "%s: want a value: %s does not start", text, w.program)
				return nil
			}
			return wrong(at, "a keyword and its value")
		}
		key, args := strings.ToLower(m[1]), sshArgs(m[2])
		o := origin{at, m[1] + " " + strings.Join(args, " ")}
		b := (*blocks)[len(*blocks)-1]
		typo := w.typo(key)
		s.word(at, m[1], w.known()[key] || slices.Contains(w.foreign, key) || w.ignores(*blocks, key), typo)
		switch {
		case slices.Contains(w.block, key):
			*blocks = append(*blocks, &sshBlock{Place: at, title: o.text, values: map[string]sshValue{}})
		case key == "include":
			return s.sshInclude(w, blocks, args, at, depth)
		case slices.Contains(w.keepalive, key) && len(args) > 0:
			if w.program == "sshd" && b.title != "" {
				s.remark(at, Refused, "%s: sshd takes it outside of Match blocks only, and does not start", o.text)
				return nil
			}
			b.take(s, "tcpkeepalive", args[0], o)
		case (key == w.interval || key == w.countMax) && len(args) > 0:
			b.take(s, key, args[0], o)
		case slices.Contains(w.debian, key) && len(args) > 0:
			s.remark(at, Unread, "%s: only the ssh of Debian has it, as another name of %s: write that", o.text, w.intervalName())
			b.take(s, w.interval, args[0], o)
		case (key == "channeltimeout" || key == "unusedconnectiontimeout") && !strings.EqualFold(m[2], "none"):
			s.remark(at, Unread, "%s: what it ends was not looked at", o.text)
		case slices.Contains(w.foreign, key):
			s.remark(at, UnknownWord, "%s: that is a keyword of %s, which %s refuses", o.text, map[string]string{"ssh": "sshd_config", "sshd": "ssh_config"}[w.program], w.program)
		case key == "ignoreunknown" && w.program == "ssh" && len(args) > 0 && b.ignored == "": // the first counts
			b.ignored = strings.ToLower(args[0])
		case typo && !w.ignores(*blocks, key):
			s.remark(at, UnknownWord, "%s: %s has no such keyword and does not start%s", o.text, w.program, alike.Question(alike.Nearest(m[1], w.aliveNames())))
		}
		return nil
	})
}

func isSSHAlive(key string) bool {
	return strings.Contains(key, "keepalive") || strings.HasPrefix(key, "serveralive") || strings.HasPrefix(key, "clientalive")
}

// aliveNames are the keywords that are read.
func (w sshWords) aliveNames() []string {
	if w.program == "sshd" {
		return []string{"TCPKeepAlive", "ClientAliveInterval", "ClientAliveCountMax"}
	}
	return []string{"TCPKeepAlive", "ServerAliveInterval", "ServerAliveCountMax"}
}

// typo reports whether a keyword is one of these misspelt, or one of the other program.
func (w sshWords) typo(key string) bool {
	return !w.known()[key] && (isSSHAlive(key) || nearly(key, w.aliveNames()...))
}

// ignores reports whether IgnoreUnknown has ssh pass over a keyword of any host: in a block
// for some hosts only, ssh refuses the keyword for all others.
func (w sshWords) ignores(blocks []*sshBlock, key string) bool {
	for _, b := range blocks {
		if !b.everybody() {
			continue
		}
		for _, pattern := range strings.Split(b.ignored, ",") {
			if ok, err := path.Match(pattern, key); ok && err == nil && pattern != "" {
				return true
			}
		}
	}
	return false
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
	for _, pattern := range patterns {
		err := s.eachIncluded(at, pattern, depth, func(in *source) error {
			before := (*blocks)[len(*blocks)-1]
			if err := in.sshBlocks(w, blocks, depth+1); err != nil {
				return err
			}
			if last := (*blocks)[len(*blocks)-1]; last != before { // its blocks end with the file
				*blocks = append(*blocks, &sshBlock{Place: at, title: before.title, values: map[string]sshValue{}})
			}
			return nil
		})
		if err != nil {
			return err
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
