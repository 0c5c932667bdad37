package transport

import (
	"io"
	"sync"
	"time"
)

// drainLimits are what a Close may read of a body.
type drainLimits struct {
	bytes int64
	time  time.Duration
}

// A drainingBody is the body of a response. Its Close reads the rest.
type drainingBody call

func (b *drainingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.body.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	if err != nil {
		b.done = true
		if err == io.EOF {
			(*call)(b).finish()
		} else if b.joined.Load() {
			(*call)(b).abandon()
		}
	}
	return n, err
}

// Close reads the rest, if it is short and comes quickly. It does not if another goroutine
// is reading, as programs interrupt a reader with Close.
func (b *drainingBody) Close() error {
	if !b.mu.TryLock() {
		(*call)(b).abandon()
		return b.body.Close()
	}
	defer b.mu.Unlock()
	limits := b.t.drain
	if b.done || b.left > limits.bytes || limits.bytes < 0 {
		(*call)(b).abandon()
		return b.body.Close()
	}
	b.done = true
	late := time.AfterFunc(limits.time, func() { b.body.Close() }) // ends the reading
	n, whole := drain(b.body, limits.bytes)
	late.Stop()
	b.t.counts.drained.Add(uint64(n))
	b.t.events.drained((*call)(b), n, whole)
	if whole {
		(*call)(b).finish()
	} else {
		(*call)(b).abandon()
	}
	return b.body.Close()
}

var drainBuffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// drain reads at most limit bytes, and reports whether that was all.
func drain(r io.Reader, limit int64) (n int64, whole bool) {
	buffer := drainBuffers.Get().(*[16 << 10]byte)
	defer drainBuffers.Put(buffer)
	for n <= limit {
		m, err := r.Read(buffer[:min(int64(len(buffer)), limit-n+1)])
		n += int64(m)
		if err != nil {
			return n, err == io.EOF
		}
	}
	return n, false
}
