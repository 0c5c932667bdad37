package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/peek"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A joiner adds owners and settings to the sockets of a list.
type joiner struct {
	query   *query
	owners  *Owners
	again   int // how often the owners were searched again
	yield   func(*Report, error) bool
	stopped bool // yield returned false

	peeker peek.Peeker
	batch  []Report // sockets whose settings are read together
	peeks  []peek.Peek

	retries     *platform.Retries // of the network namespace, if retriesRead; nil: unknown
	retriesRead bool
}

// batchSize is the number of sockets whose settings are read together; each batch takes
// one child process.
const batchSize = 1024

// add takes the next socket, and reports whether to continue.
func (j *joiner) add(r *Report) bool {
	if j.owners != nil {
		j.own(r)
	}
	if !j.query.Settings {
		j.stopped = !j.yield(r, nil)
		return !j.stopped
	}
	r.Retries = j.machineRetries()
	if j.batch = append(j.batch, *r); len(j.batch) < batchSize {
		return true
	}
	return j.flush()
}

// own adds the owners of the socket.
func (j *joiner) own(r *Report) {
	j.lookAgain(r)
	r.Owners = slices.Collect(j.owners.Of(r.Inode)) // never reused: callers keep copies of r
}

// mostAgain bounds the cost of new sockets.
const mostAgain = 2

// lookAgain finds the owner of a socket that was opened after the owners were searched, if
// the socket may belong to this user.
func (j *joiner) lookAgain(r *Report) {
	if j.owners.pids != nil || r.Inode == 0 || j.owners.Has(r.Inode) || j.again == mostAgain {
		return
	}
	if me := os.Geteuid(); me != 0 && uint32(me) != r.UID {
		return
	}
	j.again++
	if owners, err := FindOwners(); err == nil {
		j.owners = owners
	}
}

// machineRetries returns the limits of the network namespace. If they are unknown, Explain
// says so.
func (j *joiner) machineRetries() *platform.Retries {
	if !j.retriesRead {
		j.retriesRead = true
		_ = netns.Do(j.query.Namespace, func() error {
			limits, err := kernel.SystemRetries()
			if err == nil {
				j.retries = (*platform.Retries)(&limits)
			}
			return err
		})
	}
	return j.retries
}

// flush reads the settings of the batch, yields its sockets, and reports whether to
// continue.
func (j *joiner) flush() bool {
	j.peeks = j.peeks[:0]
	for i := range j.batch {
		j.peeks = append(j.peeks, peekAt(&j.batch[i]))
	}
	j.peeker.Read(j.peeks)
	j.askAgain()
	for i := range j.batch {
		r, p := &j.batch[i], &j.peeks[i]
		if len(p.From) > 0 {
			r.Settings, r.Unknown = p.Settings, p.Err
		}
		if p.LongestRTO > 0 && r.Retries != nil && r.Retries.LongestRTO != p.LongestRTO {
			own := *r.Retries
			own.LongestRTO = p.LongestRTO
			r.Retries = &own
		}
		if !j.yield(r, nil) {
			j.stopped = true
			return false
		}
	}
	j.batch = j.batch[:0]
	return true
}

// askAgain handles sockets that their owners no longer have, and finds out whether they
// have been closed. A socket that is still open has another owner by now, or /proc belongs
// to another PID namespace, where processes have other numbers.
func (j *joiner) askAgain() {
	var closed []*Report
	var at []int // in the batch
	for i := range j.peeks {
		if errors.Is(j.peeks[i].Err, fs.ErrNotExist) {
			closed, at = append(closed, &j.batch[i]), append(at, i)
		}
	}
	if len(closed) == 0 {
		return
	}
	open := stillOpen(j.query.Namespace, closed)
	if !slices.Contains(open, true) {
		return
	}
	owners, err := FindOwners(j.owners.pids...)
	if err != nil { // the processes asked for have ended
		owners = new(Owners)
	}
	again := make([]peek.Peek, 0, len(closed))
	for n, r := range closed {
		if open[n] {
			r.Owners = slices.Collect(owners.Of(r.Inode))
			again = append(again, peekAt(r))
		}
	}
	j.peeker.Read(again)
	for n, i := range at {
		if !open[n] {
			continue
		}
		j.peeks[i], again = again[0], again[1:]
		if err := j.peeks[i].Err; errors.Is(err, fs.ErrNotExist) {
			j.peeks[i].Err = fmt.Errorf("%v, although the socket is open: /proc is perhaps that of another PID namespace", err)
		}
	}
}

func peekAt(r *Report) peek.Peek {
	p := peek.Peek{Inode: r.Inode}
	for _, o := range r.Owners {
		p.From = append(p.From, peek.Descriptor{PID: o.PID, FD: o.FD})
	}
	return p
}
