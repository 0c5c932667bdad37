package watch

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A snapshot has the rows of all sockets at one time.
type snapshot struct {
	at    time.Time
	rows  []sockets.Row
	notes sockets.Notes
	holes bool // the table changed while it was read: sockets may be missing
}

// takeSnapshot lists the sockets once.
func takeSnapshot(q *sockets.Query) (*snapshot, error) {
	v := q.Survey()
	s := &snapshot{at: time.Now()}
	for r, err := range v.Rows() {
		switch {
		case errors.Is(err, inspect.ErrTableChanged):
			s.holes = true
			continue
		case err != nil:
			return nil, err
		}
		kept := *r
		kept.Owners = slices.Clone(r.Owners)
		s.rows = append(s.rows, kept)
	}
	s.notes = v.Notes
	return s, nil
}

// A change says what happened to a row since the previous snapshot.
type change byte

const (
	noChange  change = ' '
	isNew     change = '+'
	isChanged change = '!'
	isGone    change = '-'
)

type watchedRow struct {
	sockets.Row
	change change
}

// A model holds the rows, their order, and which of them are visible.
type model struct {
	columns []columns.Column
	sort    int // of sorts
	reverse bool
	find    string // only rows with this text

	at      time.Time
	rows    []watchedRow
	visible []*watchedRow
	notes   sockets.Notes
	holes   bool // of the snapshot
}

func newModel(o *options) *model {
	index, _ := sortIndex(o.sort)
	return &model{columns: o.Columns(&o.Query), sort: index, reverse: o.reverse}
}

// A key identifies a socket. The kernel reuses addresses, but never cookies.
type key struct {
	netns       uint64
	cookie      uint64
	local, peer netip.AddrPort
}

func socketKey(r *sockets.Row) key {
	var inode uint64
	if r.NetNS != nil {
		inode = r.NetNS.Inode
	}
	if r.Cookie != 0 {
		return key{netns: inode, cookie: r.Cookie}
	}
	return key{netns: inode, local: r.Local, peer: r.Peer}
}

// update merges a snapshot into the model. Sockets that no longer exist stay until the next
// snapshot.
func (m *model) update(s *snapshot) {
	first := m.at.IsZero()
	before := make(map[key]*watchedRow, len(m.rows))
	for i := range m.rows {
		if r := &m.rows[i]; r.change != isGone {
			before[socketKey(&r.Row)] = r
		}
	}
	rows := make([]watchedRow, 0, len(s.rows))
	for _, r := range s.rows {
		w := watchedRow{r, noChange}
		if old, ok := before[socketKey(&r)]; ok {
			if differ(&r, &old.Row) {
				w.change = isChanged
			}
			delete(before, socketKey(&r))
		} else if !first {
			w.change = isNew
		}
		rows = append(rows, w)
	}
	for _, old := range before {
		old.change = isGone
		if s.holes {
			old.change = noChange // nobody knows
			old.Row = aged(&old.Row, s.at.Sub(m.at))
		}
		rows = append(rows, *old)
	}
	m.at, m.rows, m.notes, m.holes = s.at, rows, s.notes, s.holes
	m.arrange()
}

// differ reports whether two rows differ in more than their times, which always change.
func differ(r, old *sockets.Row) bool {
	return r.State != old.State || r.Settings != old.Settings ||
		r.Timer.Kind != old.Timer.Kind || r.Timer.Unanswered != old.Timer.Unanswered ||
		!slices.Equal(r.Owners, old.Owners)
}

// aged returns the row as it is after this time if nothing has happened.
func aged(r *sockets.Row, by time.Duration) sockets.Row {
	a := *r
	a.Timer.Left = max(0, a.Timer.Left-by)
	a.Activity.LastDataSent += by
	a.Activity.LastDataReceived += by
	a.Activity.LastAckReceived += by
	return a
}

// arrange finds the rows to show, in order.
func (m *model) arrange() {
	m.visible = m.visible[:0]
	for i := range m.rows {
		if r := &m.rows[i]; m.find == "" || m.contains(r) {
			m.visible = append(m.visible, r)
		}
	}
	m.order()
}

// order sorts the visible rows. Rows without a value in the column, such as those without a
// timer, come last in either direction.
func (m *model) order() {
	by := sorts[m.sort]
	if by.compare == nil {
		if m.reverse {
			slices.Reverse(m.visible)
		}
		return
	}
	slices.SortStableFunc(m.visible, func(a, b *watchedRow) int {
		hasA, hasB := by.has == nil || by.has(&a.Row), by.has == nil || by.has(&b.Row)
		switch {
		case hasA != hasB && hasA:
			return -1
		case hasA != hasB:
			return 1
		case !hasA:
			return 0
		case m.reverse:
			return by.compare(&b.Row, &a.Row)
		}
		return by.compare(&a.Row, &b.Row)
	})
}

func (m *model) contains(r *watchedRow) bool {
	for _, cell := range columns.Cells(m.columns, &r.Row) {
		if strings.Contains(strings.ToLower(cell), strings.ToLower(m.find)) {
			return true
		}
	}
	return false
}

// sorts has the keys of --sort: which rows have a value to sort by (nil means all rows), and
// their order.
var sorts = []struct {
	name    string
	has     func(*sockets.Row) bool
	compare func(a, b *sockets.Row) int
}{
	{name: "none"},
	{"next", func(r *sockets.Row) bool { _, err := r.NextProbe(); return err == nil }, func(a, b *sockets.Row) int { return cmp.Compare(next(a), next(b)) }},
	{"timer", hasTimer, func(a, b *sockets.Row) int { return cmp.Compare(a.Timer.Left, b.Timer.Left) }},
	{"probes", hasTimer, func(a, b *sockets.Row) int { return cmp.Compare(b.Timer.Unanswered, a.Timer.Unanswered) }},
	{"idle", func(r *sockets.Row) bool { return r.Settings.Known.Has(platform.Idle) }, func(a, b *sockets.Row) int { return cmp.Compare(a.Settings.Idle, b.Settings.Idle) }},
	{"state", nil, func(a, b *sockets.Row) int { return cmp.Compare(a.State, b.State) }},
	{"local", nil, func(a, b *sockets.Row) int { return a.Local.Compare(b.Local) }},
	{"peer", nil, func(a, b *sockets.Row) int { return a.Peer.Compare(b.Peer) }},
	{"process", func(r *sockets.Row) bool { return len(r.Owners) > 0 }, func(a, b *sockets.Row) int { return cmp.Compare(columns.ProcessCell(a), columns.ProcessCell(b)) }},
}

func hasTimer(r *sockets.Row) bool {
	return r.Timer.Kind != "" && r.Timer.Kind != "off"
}

func next(r *sockets.Row) time.Duration {
	d, _ := r.NextProbe() // which has one
	return d
}

func sortNames() []string {
	names := make([]string, len(sorts))
	for i := range sorts {
		names[i] = sorts[i].name
	}
	return names
}

func sortIndex(name string) (int, bool) {
	i := slices.Index(sortNames(), name)
	return max(i, 0), i >= 0
}
