package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

func findOwners(pids []int) (*Owners, error) {
	var o Owners
	all := len(pids) == 0
	if all {
		var hides bool
		var err error
		if pids, hides, err = proc.All(); err != nil {
			return nil, err
		}
		if hides {
			o.denied.processes++
		}
	} else {
		pids = slices.Clone(pids)
		for i := range pids {
			pids[i] = proc.Of(pids[i])
		}
		o.pids = pids
	}
	scans := scanAll(pids)
	total := 0
	for i := range scans {
		total += scans[i].count()
	}
	o.entries = make([]ownerEntry, 0, total)
	for i := range scans {
		s := &scans[i]
		err := s.failure(all)
		switch {
		case err == nil:
		case all && errors.Is(err, fs.ErrPermission):
			o.denied.processes++
			o.denied.descriptors += s.denied
		case all && proc.Gone(err):
		default:
			return nil, fmt.Errorf("the descriptors of process %d: %w", s.pid, err)
		}
		if s.count() == 0 {
			continue
		}
		for _, part := range s.parts {
			for _, f := range part {
				o.entries = append(o.entries, ownerEntry{inode: f.inode, process: int32(len(o.processes)), fd: f.fd})
			}
		}
		o.processes = append(o.processes, process{s.pid, s.name})
		s.parts = nil
	}
	o.index()
	return &o, nil
}

// failure returns why some descriptors were not read, or nil.
func (s *scan) failure(all bool) error {
	switch {
	case s.err != nil && !all && proc.Gone(s.err) && proc.Hidden(s.pid):
		return proc.WhyNot(s.pid)
	case s.err != nil:
		return s.err
	case s.denied > 0:
		return fmt.Errorf("readlink of %d descriptors: %w", s.denied, fs.ErrPermission)
	}
	return nil
}
