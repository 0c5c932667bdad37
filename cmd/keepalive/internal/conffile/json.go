package conffile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// json reads values with encoding/json, which has the position of each token.
func (s *source) json() (list []*node, err error) {
	d := json.NewDecoder(strings.NewReader(s.Text))
	d.UseNumber()
	b := &builder{source: s}
	lines := lineCounter{text: s.Text}
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, s.jsonError(err, &lines, d)
		}
		n, err := b.json(d, t, &lines, 0)
		if err != nil {
			return nil, s.jsonError(err, &lines, d)
		}
		list = append(list, n)
	}
}

func (s *source) jsonError(err error, lines *lineCounter, d *json.Decoder) error {
	var ours *syntaxError
	if errors.As(err, &ours) {
		return err
	}
	at := d.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	return wrong(s.at(lines.at(at)), "JSON (%v)", err)
}

func (b *builder) json(d *json.Decoder, t json.Token, lines *lineCounter, depth int) (*node, error) {
	n := &node{line: lines.at(d.InputOffset())}
	if err := b.next(n.line, depth); err != nil {
		return nil, err
	}
	value := func() (*node, error) {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		return b.json(d, t, lines, depth+1)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			n.fields = map[string]*node{}
		}
		for d.More() {
			key := ""
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return nil, err
				}
				key = k.(string)
			}
			v, err := value()
			if err != nil {
				return nil, err
			}
			if t == '{' {
				n.set(key, v)
			} else {
				n.items = append(n.items, v)
			}
		}
		_, err := d.Token() // the end
		return n, err
	case string:
		n.scalar, n.text, n.isText = true, t, true
	case nil:
	default: // a number or a boolean
		n.scalar, n.text = true, fmt.Sprint(t)
	}
	return n, nil
}

// A lineCounter finds the line of an offset; the offsets only grow.
type lineCounter struct {
	text   string
	offset int
	line   int
}

func (c *lineCounter) at(offset int64) int {
	to := min(int(offset), len(c.text))
	if to > c.offset {
		c.line += strings.Count(c.text[c.offset:to], "\n")
		c.offset = to
	}
	return c.line + 1
}
