package enforce

import (
	"errors"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// The maps of a policy. Both programs read the policy through current, whose only value is
// another map: replacing it takes one system call, after which no program that runs sees
// the old one (kernel/bpf/syscall.c, maybe_wait_bpf_programs). Where it is empty, the
// programs do nothing.
type maps struct {
	current  *ebpf.Map // array of maps
	sockets  *ebpf.Map // socketValue of each socket
	counters *ebpf.Map // of each CPU
}

// The indexes of counters.
const (
	countSockets = iota
	countFailures
	countRewritten
	counterCount
)

// policySpec is the map of a policyValue. Programs cannot write to it, and once it is frozen
// nobody can.
var policySpec = ebpf.MapSpec{
	Name: "ka_policy", Type: ebpf.Array, KeySize: 4, ValueSize: uint32(policySize), MaxEntries: 1, Flags: unix.BPF_F_RDONLY_PROG,
}

func newMaps() (m *maps, err error) {
	m = new(maps)
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	inner := policySpec
	if m.current, err = ebpf.NewMap(&ebpf.MapSpec{Name: "ka_current", Type: ebpf.ArrayOfMaps, KeySize: 4, MaxEntries: 1, InnerMap: &inner}); err != nil {
		return m, refused("a map of maps (Linux 4.12)", err)
	}
	if m.counters, err = ebpf.NewMap(&ebpf.MapSpec{Name: "ka_counters", Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: counterCount}); err != nil {
		return m, refused("a map for each CPU (Linux 4.6)", err)
	}
	// The kernel takes a map of sockets only with BTF of its key and value.
	number := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	word := &btf.Int{Name: "u32", Size: 4}
	value := &btf.Struct{Name: "ka_socket", Size: uint32(socketSize), Members: []btf.Member{{
		Name: "words", Type: &btf.Array{Index: word, Type: word, Nelems: uint32(socketSize / 4)},
	}}}
	if m.sockets, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "ka_sockets", Type: ebpf.SkStorage, KeySize: 4, ValueSize: uint32(socketSize),
		Flags: unix.BPF_F_NO_PREALLOC | unix.BPF_F_CLONE, Key: number, Value: value,
	}); err != nil {
		return m, refused("memory of sockets that accepted ones inherit (Linux 5.4)", err)
	}
	return m, nil
}

func (m *maps) close() {
	m.current.Close()
	m.counters.Close()
	m.sockets.Close()
}

// newPolicyMap makes the map of one policy, which never changes again.
func newPolicyMap(v *policyValue) (*ebpf.Map, error) {
	spec := policySpec
	m, err := ebpf.NewMap(&spec)
	if err != nil {
		return nil, refused("a map", err)
	}
	err = m.Put(uint32(0), v)
	if err == nil {
		err = m.Freeze()
	}
	if err != nil {
		m.Close()
		return nil, refused("a frozen map (Linux 5.2)", err)
	}
	return m, nil
}

// put brings a policy into effect.
func (m *maps) put(policy *ebpf.Map) error { return m.current.Put(uint32(0), policy) }

// empty ends a policy.
func (m *maps) empty() error {
	if err := m.current.Delete(uint32(0)); !errors.Is(err, ebpf.ErrKeyNotExist) {
		return err
	}
	return nil
}

// inEffect returns the number of the map in effect, or 0.
func (m *maps) inEffect() (ebpf.MapID, error) {
	var id ebpf.MapID
	err := m.current.Lookup(uint32(0), (*uint32)(&id))
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return 0, nil
	}
	return id, err
}

func (m *maps) read() (c Counters, err error) {
	for i, sum := range []*uint64{&c.Sockets, &c.Failures, &c.Rewritten} {
		var each []uint64
		if err := m.counters.Lookup(uint32(i), &each); err != nil {
			return c, err
		}
		for _, n := range each {
			*sum += n
		}
	}
	return c, nil
}
