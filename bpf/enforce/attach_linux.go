package enforce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// A loaded policy has programs that are attached to nothing yet.
type loaded struct {
	maps     *maps
	policy   *ebpf.Map
	programs map[string]*ebpf.Program
	links    []*link.RawLink
}

// loadAll loads everything that the policy needs.
func loadAll(p Policy, cg cgroup) (l *loaded, err error) {
	if err := supported(); err != nil {
		return nil, err
	}
	value, err := encode(p, cg.Name())
	if err != nil {
		return nil, err
	}
	l = &loaded{programs: map[string]*ebpf.Program{}}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.maps, err = newMaps(); err != nil {
		return l, err
	}
	if l.policy, err = newPolicyMap(value); err != nil {
		return l, err
	}
	for _, part := range parts {
		if part.needed == nil || part.needed(p) {
			if l.programs[part.name], err = part.load(l.maps); err != nil {
				return l, err
			}
		}
	}
	return l, nil
}

// close detaches what is not pinned.
func (l *loaded) close() {
	for _, link := range l.links {
		link.Close()
	}
	for _, p := range l.programs {
		p.Close()
	}
	if l.policy != nil {
		l.policy.Close()
	}
	if l.maps != nil {
		l.maps.close()
	}
}

// attach attaches all programs, which do nothing yet, and calls pin for each.
func (l *loaded) attach(cg cgroup, pin func(part, *link.RawLink) error) error {
	for _, part := range parts {
		program := l.programs[part.name]
		if program == nil {
			continue
		}
		raw, err := part.attach(cg, program)
		if err != nil {
			return err
		}
		l.links = append(l.links, raw)
		if err := pin(part, raw); err != nil {
			return err
		}
	}
	return nil
}

// Attach brings a policy into effect for the control group with this directory, and pins it
// in dir, which is made if it does not exist; see [DefaultDir]. The policy stays until
// [Remove], until the control group is removed, or until the machine stops.
//
// The error wraps [fs.ErrExist] if the control group has a policy already ([Update] changes
// it), [fs.ErrPermission] if a capability is missing, [errors.ErrUnsupported] if the kernel
// lacks something, which it names, and [fs.ErrNotExist] if there is no such control group.
func Attach(dir, cgroup string, p Policy) error { return named(attach(dir, cgroup, p)) }

func attach(dir, cgroup string, p Policy) (err error) {
	if err := p.validate(); err != nil {
		return err
	}
	cg, err := openCgroup(cgroup)
	if err != nil {
		return err
	}
	defer cg.Close()
	l, err := loadAll(p, cg)
	if err != nil {
		return err
	}
	defer l.close()
	if err := makeDir(dir); err != nil {
		return err
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	at := pins{dir, cg.id}
	switch s, err := at.status(); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case s.State == Interrupted || s.State == CgroupRemoved:
		if err := at.remove(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("control group %s has a policy already, which can be updated or removed: %w", cgroup, fs.ErrExist)
	}
	if err := os.Mkdir(at.path(), 0o700); err != nil {
		return pinError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, at.remove())
		}
	}()
	if err := l.pin(at); err != nil {
		return err
	}
	if err := l.attach(cg, func(p part, raw *link.RawLink) error { return pinError(raw.Pin(at.path(p.linkPin()))) }); err != nil {
		return err
	}
	return l.maps.put(l.policy) // now it is in effect
}

// Held is a policy that ends with its process.
type Held struct{ l *loaded }

// Hold is [Attach] without pins: the policy ends with Close, or with the process, however
// that ends.
func Hold(cgroup string, p Policy) (*Held, error) {
	h, err := hold(cgroup, p)
	return h, named(err)
}

func hold(cgroup string, p Policy) (*Held, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	cg, err := openCgroup(cgroup)
	if err != nil {
		return nil, err
	}
	defer cg.Close()
	l, err := loadAll(p, cg)
	if err != nil {
		return nil, err
	}
	err = l.attach(cg, func(part, *link.RawLink) error { return nil })
	if err == nil {
		err = l.maps.put(l.policy)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return &Held{l}, nil
}

// Counters returns what the policy has done.
func (h *Held) Counters() (Counters, error) {
	c, err := h.l.maps.read()
	return c, named(err)
}

// Close ends the policy.
func (h *Held) Close() error {
	err := h.l.maps.empty()
	h.l.close()
	return named(err)
}

// Update replaces the policy of a control group. Each event sees either the old or the new
// one, and none sees the old one after Update has returned; connections that exist keep
// what they have. The error wraps [fs.ErrNotExist] if there is no policy in effect.
func Update(dir, cgroup string, p Policy) error { return named(update(dir, cgroup, p)) }

func update(dir, cgroup string, p Policy) error {
	if err := p.validate(); err != nil {
		return err
	}
	cg, err := openCgroup(cgroup)
	if err != nil {
		return err
	}
	defer cg.Close()
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	at := pins{dir, cg.id}
	s, err := at.status()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("control group %s has no policy: %w", cgroup, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	if s.State != Enforced {
		return fmt.Errorf("the policy of control group %s cannot be updated: %s", cgroup, s.Problem)
	}
	value, err := encode(p, cg.Name())
	if err != nil {
		return err
	}
	m, err := at.loadMaps()
	if err != nil {
		return err
	}
	defer m.close()
	if err := at.addMissing(p, cg, m); err != nil {
		return err
	}
	policy, err := newPolicyMap(value)
	if err != nil {
		return err
	}
	defer policy.Close()
	before, err := at.onlyPolicy(m)
	if err != nil {
		return err
	}
	if err := pinError(policy.Pin(at.path(freePolicy(before)))); err != nil {
		return err
	}
	if err := m.put(policy); err != nil {
		return err
	}
	return os.Remove(at.path(before))
}

// Remove ends the policy of a control group, which may not exist any more: it is found by
// its directory, or by that directory's name in the pins. It also clears away what was left
// behind. The error wraps [fs.ErrNotExist] if there is none.
func Remove(dir, cgroup string) error { return named(remove(dir, cgroup)) }

func remove(dir, cgroup string) error {
	unlock, err := lock(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("control group %s has no policy: %w", cgroup, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	defer unlock()
	if cg, err := openCgroup(cgroup); err == nil {
		defer cg.Close()
		at := pins{dir, cg.id}
		if _, err := os.Lstat(at.path()); err == nil {
			return at.remove()
		}
	}
	all, err := list(dir)
	if err != nil {
		return err
	}
	var errs []error
	found := false
	for _, s := range all {
		if s.Cgroup == cgroup && s.State != Enforced { // of a control group that had the same name
			found = true
			errs = append(errs, pins{dir, s.CgroupID}.remove())
		}
	}
	if !found {
		return fmt.Errorf("control group %s has no policy: %w", cgroup, fs.ErrNotExist)
	}
	return errors.Join(errs...)
}
