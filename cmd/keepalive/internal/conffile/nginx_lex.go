package conffile

import (
	"strings"
)

// A directive of nginx has a name, arguments and perhaps a block.
type directive struct {
	Place
	args  []string // the name first
	block []directive
}

func (d *directive) name() string { return d.args[0] }

// arg returns an argument, "" if there are not so many.
func (d *directive) arg(i int) string {
	if i < len(d.args) {
		return d.args[i]
	}
	return ""
}

// text is the directive as in the file, without its block.
func (d *directive) text() string { return strings.Join(d.args, " ") }

// nginxFile is how nginx -T announces each of the files that it prints.
var nginxFile = pattern(`(?m)^# configuration file (.+):\r?$`)

// nginxDump returns the files that nginx -T has printed, the main one first, nil if the
// text is not of nginx -T.
func nginxDump(f File) []File {
	marks := nginxFile().FindAllStringSubmatchIndex(f.Text, -1)
	if marks == nil || strings.TrimSpace(f.Text[:marks[0][0]]) != "" {
		return nil
	}
	var files []File
	for i, m := range marks {
		end := len(f.Text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		text := strings.TrimPrefix(f.Text[m[1]:end], "\n")
		files = append(files, File{Name: f.Text[m[2]:m[3]], Text: text})
	}
	return files
}

// nginxParser reads the tokens as ngx_conf_read_token (src/core/ngx_conf_file.c) does: a
// word in quotes ends with them, quotes within a word are part of it, a backslash escapes,
// and braces after a $ are part of a variable.
type nginxParser struct {
	*source
	text string
	i    int
	line int
}

func (s *source) nginx(depth int) ([]directive, error) {
	p := &nginxParser{source: s, text: s.Text, line: 1}
	list, err := p.block(depth, 0)
	if err == nil && p.i < len(p.text) {
		err = wrong(s.at(p.line), "no } here: no block is open")
	}
	return list, err
}

// space skips white space and comments.
func (p *nginxParser) space() {
	for p.i < len(p.text) {
		switch p.text[p.i] {
		case '\n':
			p.line++
		case ' ', '\t', '\r':
		case '#':
			p.i = lineEnd(p.text, p.i)
			continue
		default:
			return
		}
		p.i++
	}
}

// block reads directives up to the end of a block, or of the file.
func (p *nginxParser) block(includes, depth int) ([]directive, error) {
	if depth > maxDepth {
		return nil, wrong(p.at(p.line), "blocks nested at most %d deep", maxDepth)
	}
	var list []directive
	for {
		p.space()
		if p.i >= len(p.text) || p.text[p.i] == '}' {
			return list, nil
		}
		d, err := p.directive(includes, depth)
		if err != nil {
			return nil, err
		}
		if d.name() == "include" && len(d.args) == 2 {
			included, err := p.included(d, includes)
			if err != nil {
				return nil, err
			}
			list = append(list, included...)
			continue
		}
		list = append(list, d)
	}
}

func (p *nginxParser) directive(includes, depth int) (directive, error) {
	d := directive{Place: p.at(p.line)}
	for {
		p.space()
		if p.i >= len(p.text) {
			return d, wrong(d.Place, "a ; or { after %q", d.text())
		}
		switch p.text[p.i] {
		case ';', '{', '}':
			end := p.text[p.i]
			if len(d.args) == 0 || end == '}' {
				return d, wrong(p.at(p.line), "a directive before %q", end)
			}
			p.i++
			if end == ';' {
				return d, nil
			}
			if strings.HasSuffix(d.name(), "_by_lua_block") {
				return d, p.lua(d)
			}
			var err error
			if d.block, err = p.block(includes, depth+1); err != nil {
				return d, err
			}
			if p.i >= len(p.text) {
				return d, wrong(d.Place, "a } for the block of %s that starts here", d.name())
			}
			p.i++
			return d, nil
		}
		w, err := p.word()
		if err != nil {
			return d, err
		}
		d.args = append(d.args, w)
	}
}

func (p *nginxParser) word() (string, error) {
	var w strings.Builder
	at := p.at(p.line)
	quote := p.text[p.i]
	if quote == '"' || quote == '\'' {
		p.i++
	} else {
		quote = 0
	}
	for ; p.i < len(p.text); p.i++ {
		c := p.text[p.i]
		switch {
		case c == '\\' && p.i+1 < len(p.text):
			p.i++
			switch e := p.text[p.i]; e {
			case '"', '\'', '\\':
				w.WriteByte(e)
			case 't':
				w.WriteByte('\t')
			case 'r':
				w.WriteByte('\r')
			case 'n':
				w.WriteByte('\n')
			default:
				w.WriteString(`\` + string(e))
				if e == '\n' {
					p.line++
				}
			}
			continue
		case quote != 0 && c == quote:
			p.i++
			if p.i < len(p.text) && !strings.ContainsRune(" \t\r\n;{)", rune(p.text[p.i])) {
				return "", wrong(p.at(p.line), "a space, ; or { after the quotes")
			}
			return w.String(), nil
		case quote != 0:
			if c == '\n' {
				p.line++
			}
		case c == '$' && p.i+1 < len(p.text) && p.text[p.i+1] == '{':
			w.WriteByte(c)
			p.i++
			c = '{'
		case strings.ContainsRune(" \t\r\n;{", rune(c)):
			return w.String(), nil
		}
		w.WriteByte(c)
	}
	if quote != 0 {
		return "", wrong(at, "the end of the quotes that start here: %c", quote)
	}
	return w.String(), nil
}

// lua skips a block of Lua (OpenResty), which has nothing of keepalive. Braces in its
// strings and comments are taken for those of blocks.
func (p *nginxParser) lua(d directive) error {
	for open := 1; p.i < len(p.text); p.i++ {
		switch p.text[p.i] {
		case '\n':
			p.line++
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				p.i++
				return nil
			}
		}
	}
	return wrong(d.Place, "a } for the block of %s that starts here", d.name())
}

// unrelated are files that nginx and Debian include, and that by convention have nothing
// of keepalive: types, parameters of FastCGI and the like, modules to load.
var unrelated = pattern(`(^|/)(mime\.types|(fastcgi|uwsgi|scgi)(_params|\.conf)|koi-\w+|win-utf|proxy_params|options-ssl-nginx\.conf)$|(^|/)modules-enabled/\*\.conf$|(^|/)modules/\*\.conf$`)

func (p *nginxParser) included(d directive, includes int) ([]directive, error) {
	if unrelated().MatchString(d.arg(1)) && !p.given(d.arg(1)) {
		return nil, nil
	}
	var list []directive
	err := p.eachIncluded(d.Place, d.arg(1), includes, func(in *source) error {
		part, err := in.nginx(includes + 1)
		list = append(list, part...)
		return err
	})
	return list, err
}
