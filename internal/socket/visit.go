package socket

import (
	"sync"
	"syscall"
)

// A Visit is one use of a socket's descriptor, with what the use needs and finds out.
// RawConn.Control takes a function, and a closure made for each use would be allocated
// each time, so visits are pooled together with their function: see [Visits].
type Visit[T any] struct {
	Data T

	task  func(data *T, fd uintptr) error
	err   error
	visit func(fd uintptr) // always (*Visit).run of this visit
}

func (v *Visit[T]) run(fd uintptr) { v.err = v.task(&v.Data, fd) }

// On calls task with the descriptor of rc, which stays open until task returns. outer is
// the error of getting the descriptor (the connection is closed), inner that of task.
func (v *Visit[T]) On(rc syscall.RawConn, task func(data *T, fd uintptr) error) (inner, outer error) {
	v.task, v.err = task, nil
	outer = rc.Control(v.visit)
	return v.err, outer
}

// Visits is a pool of visits. The zero value is ready to use. It is safe for concurrent
// use.
type Visits[T any] struct{ pool sync.Pool }

// Get returns a visit. Its Data is what an earlier user has left, or zero.
func (p *Visits[T]) Get() *Visit[T] {
	v, ok := p.pool.Get().(*Visit[T])
	if !ok {
		v = new(Visit[T])
		v.visit = v.run
	}
	return v
}

// Put returns a visit to the pool. Its Data must not refer to a connection any more, as the
// pool would keep it in memory.
func (p *Visits[T]) Put(v *Visit[T]) {
	v.err = nil
	p.pool.Put(v)
}
