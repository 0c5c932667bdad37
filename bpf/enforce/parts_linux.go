package enforce

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// A part is one of the programs, with its names in the directory of the pins.
type part struct {
	name       string
	spec       func(*maps) *ebpf.ProgramSpec
	attachType ebpf.AttachType
	feature    string
	needed     func(Policy) bool // nil: always
}

func (p part) programPin() string { return p.name }
func (p part) linkPin() string    { return "link_" + p.name }

// parts are in the order in which they are attached. None does anything before the policy
// is put into the map that they read.
var parts = []part{
	{"sock_create", (*maps).sockCreate, ebpf.AttachCGroupInetSockCreate, "cgroup/sock_create programs that remember a command (Linux 5.10)", Policy.hasCommand},
	{"sock_ops", (*maps).sockOps, ebpf.AttachCGroupSockOps, "sock_ops programs that set keepalive options (Linux 5.9)", nil},
	{"setsockopt", (*maps).setsockopt, ebpf.AttachCGroupSetsockopt, "cgroup/setsockopt programs (Linux 5.3)", nil},
}

func (p Policy) hasCommand() bool {
	for _, r := range p.Rules {
		if r.Command != "" {
			return true
		}
	}
	return false
}

// load loads a program.
func (p part) load(m *maps) (*ebpf.Program, error) {
	program, err := ebpf.NewProgram(p.spec(m))
	return program, refused(p.feature, err)
}

// attach attaches a program to a control group. It takes a bpf_link, which can be pinned.
func (p part) attach(cg cgroup, program *ebpf.Program) (*link.RawLink, error) {
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(cg.Fd()), Program: program, Attach: p.attachType})
	if err != nil {
		return nil, fmt.Errorf("control group %s: %w", cg.Name(), refused("links to control groups (Linux 5.7)", err))
	}
	return l, nil
}
