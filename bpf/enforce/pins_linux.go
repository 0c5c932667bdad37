package enforce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// pins are the files of one control group: its maps, programs and links. A directory's name
// has the number of the control group, which the kernel never gives to another one; names
// in a BPF file system must not have a dot.
type pins struct {
	dir string
	id  uint64
}

const (
	dirPrefix    = "cgroup_"
	policyPrefix = "policy_" // and a number; the one in effect is that which the map current has
	pinCurrent   = "current"
	pinSockets   = "sockets"
	pinCounters  = "counters"
)

func (p pins) path(name ...string) string {
	return filepath.Join(append([]string{p.dir, dirPrefix + strconv.FormatUint(p.id, 16)}, name...)...)
}

// makeDir makes the directory of all pins, in a BPF file system.
func makeDir(dir string) error {
	for above := dir; ; above = filepath.Dir(above) {
		var st unix.Statfs_t
		switch err := unix.Statfs(above, &st); {
		case err == unix.ENOENT && above != filepath.Dir(above):
			continue
		case err != nil:
			return &fs.PathError{Op: "statfs", Path: above, Err: err}
		case uint32(st.Type) != unix.BPF_FS_MAGIC:
			return fmt.Errorf("%s is in no BPF file system, which keeps policies: mount -t bpf bpf /sys/fs/bpf (%w)", dir, fs.ErrNotExist)
		}
		return pinError(os.MkdirAll(dir, 0o700))
	}
}

// lock waits until no other process changes pins in dir.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("flock %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

func pinError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("pin: %w (the name of a pin has no dot; and pinning takes permission to write in the directory, and CAP_BPF)", err)
	}
	return fmt.Errorf("pin: %w", err)
}

// pin pins everything but the links.
func (l *loaded) pin(at pins) error {
	for _, m := range []struct {
		name string
		pin  interface{ Pin(string) error }
	}{{pinCurrent, l.maps.current}, {pinSockets, l.maps.sockets}, {pinCounters, l.maps.counters}, {policyPrefix + "1", l.policy}} {
		if err := m.pin.Pin(at.path(m.name)); err != nil {
			return pinError(err)
		}
	}
	for name, program := range l.programs {
		if err := program.Pin(at.path(name)); err != nil {
			return pinError(err)
		}
	}
	return nil
}

func (p pins) loadMaps() (m *maps, err error) {
	m = new(maps)
	for _, pin := range []struct {
		name string
		to   **ebpf.Map
	}{{pinCurrent, &m.current}, {pinSockets, &m.sockets}, {pinCounters, &m.counters}} {
		if *pin.to, err = ebpf.LoadPinnedMap(p.path(pin.name), nil); err != nil {
			m.close()
			return nil, p.loadError(pin.name, err)
		}
	}
	return m, nil
}

func (p pins) loadError(name string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%s: %s: %w", p.path(name), missing(), err)
	}
	return fmt.Errorf("%s: %w", p.path(name), err)
}

// addMissing attaches the programs that the policy needs and that the one before did not.
func (p pins) addMissing(policy Policy, cg cgroup, m *maps) error {
	for _, part := range parts {
		if part.needed == nil || !part.needed(policy) {
			continue
		}
		if _, err := os.Lstat(p.path(part.linkPin())); err == nil {
			continue
		}
		if err := os.Remove(p.path(part.programPin())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		program, err := part.load(m)
		if err != nil {
			return err
		}
		defer program.Close()
		if err := program.Pin(p.path(part.programPin())); err != nil {
			return pinError(err)
		}
		raw, err := part.attach(cg, program)
		if err != nil {
			return err
		}
		defer raw.Close()
		if err := raw.Pin(p.path(part.linkPin())); err != nil {
			return pinError(err)
		}
	}
	return nil
}

// policies returns the names of the pinned policies.
func (p pins) policies() ([]string, error) {
	entries, err := os.ReadDir(p.path())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), policyPrefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// onlyPolicy returns the name of the policy in effect, and removes what updates that did
// not end have left.
func (p pins) onlyPolicy(m *maps) (name string, err error) {
	id, err := m.inEffect()
	if err != nil {
		return "", err
	}
	names, err := p.policies()
	if err != nil {
		return "", err
	}
	for _, n := range names {
		switch _, own, err := p.loadPolicy(n); {
		case err != nil:
			return "", err
		case own == id:
			name = n
		default:
			if err := os.Remove(p.path(n)); err != nil {
				return "", err
			}
		}
	}
	return name, nil
}

// freePolicy returns a name that the only policy has not.
func freePolicy(taken string) string {
	if taken == policyPrefix+"1" {
		return policyPrefix + "2"
	}
	return policyPrefix + "1"
}

// remove ends the policy with its first call, and then clears away what did it.
func (p pins) remove() error {
	current, err := ebpf.LoadPinnedMap(p.path(pinCurrent), nil)
	switch {
	case err == nil:
		defer current.Close()
		if err := (&maps{current: current}).empty(); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return p.loadError(pinCurrent, err)
	}
	entries, err := os.ReadDir(p.path())
	if err != nil {
		return err
	}
	// The map goes last: without it nobody could say what the rest was.
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int { return index(a.Name() == pinCurrent) - index(b.Name() == pinCurrent) })
	for _, e := range entries {
		if err := os.Remove(p.path(e.Name())); err != nil {
			return err
		}
	}
	return os.Remove(p.path())
}

func index(last bool) int {
	if last {
		return 1
	}
	return 0
}

// linkState says whether a link still has its program and its control group.
func (p pins) linkState(part part) (State, string, error) {
	l, err := link.LoadPinnedLink(p.path(part.linkPin()), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return Replaced, "the link of " + part.name + " is gone", nil
	}
	if err != nil {
		return 0, "", p.loadError(part.linkPin(), err)
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil {
		return 0, "", err
	}
	cg := info.Cgroup()
	if cg == nil {
		return Replaced, "the link of " + part.name + " is not one of a control group", nil
	}
	program, err := ebpf.LoadPinnedProgram(p.path(part.programPin()), nil)
	if err != nil {
		return 0, "", p.loadError(part.programPin(), err)
	}
	defer program.Close()
	own, err := program.Info()
	if err != nil {
		return 0, "", err
	}
	id, _ := own.ID()
	switch {
	case cg.CgroupId == 0:
		return CgroupRemoved, "", nil
	case info.Program != id:
		return Replaced, fmt.Sprintf("somebody put program %d in the place of %s, which is program %d", info.Program, part.name, id), nil
	}
	return Enforced, "", nil
}
