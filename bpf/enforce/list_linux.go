package enforce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
)

// List returns what is pinned in dir, in no particular order. It is empty if dir does not
// exist, which needs no permission to find out.
func List(dir string) ([]Status, error) {
	all, err := list(dir)
	return all, named(err)
}

func list(dir string) ([]Status, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Status
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), dirPrefix)
		id, err := strconv.ParseUint(number, 16, 64)
		if !ours || err != nil {
			continue
		}
		s, err := pins{dir, id}.status()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed in the meantime
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// status reads what the kernel has. The error wraps fs.ErrNotExist if there is nothing.
func (p pins) status() (Status, error) {
	s := Status{CgroupID: p.id, State: Interrupted}
	if _, err := os.Lstat(p.path()); err != nil {
		return s, err
	}
	if err := p.readPolicy(&s); err != nil {
		return s, err
	}
	if s.State != Interrupted {
		for _, part := range parts {
			if part.needed != nil && !part.needed(s.Policy) {
				continue
			}
			state, problem, err := p.linkState(part)
			if err != nil {
				return s, err
			}
			if state > s.State {
				s.State, s.Problem = state, problem
			}
		}
	}
	// The kernel ends the link of a removed control group later, when its last socket is gone.
	switch exists := s.exists(); {
	case s.State == CgroupRemoved && exists:
		s.State, s.Problem = Replaced, "somebody detached a program"
	case s.State != Interrupted && !exists:
		s.State, s.Problem = CgroupRemoved, "the control group was removed"
	}
	switch s.State {
	case Interrupted:
		s.Problem = "nothing is enforced: attaching or removing it did not end. Attach it again, or remove it"
	case CgroupRemoved:
		s.Problem += ". Nothing is enforced: remove it; a control group of the same name that was made later needs a policy of its own"
	case Replaced:
		s.Problem += ". What is enforced is not known: remove it and attach it again"
	}
	return s, nil
}

// exists reports whether the control group is still there.
func (s *Status) exists() bool {
	cg, err := openCgroup(s.Cgroup)
	if err != nil {
		return false
	}
	defer cg.Close()
	return cg.id == s.CgroupID
}

// readPolicy reads the policy in effect, and the counters. The state stays Interrupted if
// there is none.
func (p pins) readPolicy(s *Status) error {
	m, err := p.loadMaps()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer m.close()
	id, err := m.inEffect()
	if err != nil {
		return err
	}
	names, err := p.policies()
	if err != nil {
		return err
	}
	for _, name := range names {
		value, own, err := p.loadPolicy(name)
		if err != nil {
			return err
		}
		if id != 0 && id != own {
			continue // an update did not end
		}
		var policy Policy
		policy, s.Cgroup = value.decode()
		if id == own {
			s.State, s.Policy = Enforced, policy
		}
	}
	if id != 0 && s.State != Enforced {
		s.State, s.Problem = Replaced, "somebody put another policy in the place of the pinned one"
	}
	s.Counters, err = m.read()
	return err
}

func (p pins) loadPolicy(name string) (*policyValue, ebpf.MapID, error) {
	m, err := ebpf.LoadPinnedMap(p.path(name), nil)
	if err != nil {
		return nil, 0, p.loadError(name, err)
	}
	defer m.Close()
	info, err := m.Info()
	if err != nil {
		return nil, 0, err
	}
	id, _ := info.ID()
	var value policyValue
	if m.ValueSize() != uint32(policySize) {
		return nil, 0, fmt.Errorf("%s was made by another release of keepalive: remove the directory and attach the policy again", p.path(name))
	}
	if err := m.Lookup(uint32(0), &value); err != nil {
		return nil, 0, err
	}
	if value.Version != layoutVersion {
		return nil, 0, fmt.Errorf("%s was made by another release of keepalive: remove the directory and attach the policy again", p.path(name))
	}
	return &value, id, nil
}
