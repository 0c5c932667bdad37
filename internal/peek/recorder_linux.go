package peek

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// recorder is a kernel that returns the values that a child has read, or records
// which options are read.
type recorder struct {
	asks    [maxAsked]peekAsk
	n       int // may be more than fit
	noting  bool
	answers *[maxAsked]peekAnswer
}

// questions records the options that are read from a TCP socket on a system with
// this table.
func questions(t *kernel.Rules) (recorder, error) {
	r := recorder{noting: true}
	kernel.KindOf(&r, 0)
	t.Read(&r, 0)
	longestRTO(&r, 0)
	r.noting = false
	if r.n > maxAsked {
		return r, fmt.Errorf("the table %s needs %d options of a socket, but there is room for %d", t.Name, r.n, maxAsked)
	}
	return r, nil
}

func (r *recorder) find(level, number int) int {
	for i := range min(r.n, maxAsked) {
		if r.asks[i] == (peekAsk{uintptr(level), uintptr(number)}) {
			return i
		}
	}
	return -1
}

func (r *recorder) Get(_ uintptr, level, number int) (int, error) {
	i := r.find(level, number)
	if r.noting {
		if i < 0 {
			if r.n < maxAsked {
				r.asks[r.n] = peekAsk{uintptr(level), uintptr(number)}
			}
			r.n++
		}
		switch number { // a TCP socket, so that every option is read
		case unix.SO_PROTOCOL:
			return unix.IPPROTO_TCP, nil
		case unix.SO_TYPE:
			return unix.SOCK_STREAM, nil
		}
		return 0, nil
	}
	if i < 0 {
		return 0, fmt.Errorf("option %d of level %d was not recorded", number, level)
	}
	if a := r.answers[i]; a.errno != 0 {
		return 0, unix.Errno(a.errno)
	} else {
		return int(a.value), nil
	}
}

func (*recorder) Set(uintptr, int, int, int) error          { return errors.ErrUnsupported }
func (*recorder) SetKeepAliveVals(uintptr, [3]uint32) error { return errors.ErrUnsupported }
