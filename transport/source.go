package transport

import (
	"io"
	"sync"
	"sync/atomic"
)

// A source is a body that can be read only once, as all attempts to send it share it.
// net/http reads a byte before it sends anything, or waits 200 ms for one, if the length
// is not known and the method usually has no body: DELETE, say (probeRequestBody). What
// was read so early is kept, for the attempt that sends it.
type source struct {
	io.ReadCloser

	mu   sync.Mutex // of a Read, which may take as long as it likes
	kept []byte
	err  error // that came after these
}

// The fates of what an attempt reads.
const (
	undecided  int32 = iota
	passedOn         // some of it was not kept, so there can be no other attempt
	superseded       // there is another attempt: it gets all that this one still reads
)

// A reading is what one attempt has read of a source.
type reading struct {
	*source
	at   int // how many of the kept bytes
	fate atomic.Int32
}

// read is Read for an attempt of which nothing may have been sent yet, as holds reports
// after the bytes came.
func (r *reading) read(buffer []byte, holds func() bool) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at < len(r.kept) {
		n := copy(buffer, r.kept[r.at:])
		r.at += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.ReadCloser.Read(buffer)
	if holds() || !r.passOn() {
		r.kept, r.err = append(r.kept, buffer[:n]...), err
		r.at += n
	}
	return n, err
}

// passOn reports whether what is read need not be kept: no attempt will follow.
func (r *reading) passOn() bool {
	return r.fate.Load() == passedOn || r.fate.CompareAndSwap(undecided, passedOn)
}

// direct returns the source itself, nil if something of it was kept, or is being read.
func (r *reading) direct() io.Reader {
	if !r.mu.TryLock() {
		return nil
	}
	defer r.mu.Unlock()
	if r.at < len(r.kept) || r.err != nil || !r.passOn() {
		return nil
	}
	return r.ReadCloser
}

// again returns the source for another attempt, nil if there can be none.
func (r *reading) again() *source {
	if !r.fate.CompareAndSwap(undecided, superseded) {
		return nil
	}
	return r.source
}
