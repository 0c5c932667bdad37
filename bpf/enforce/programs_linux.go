package enforce

import (
	"math"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/platform"
)

// sockOps sets the options when the handshake of a connection is complete, on either side.
// An earlier user timeout would limit the handshake itself.
func (m *maps) sockOps() *ebpf.ProgramSpec {
	const ( // struct bpf_sock_ops of linux/bpf.h
		op, family, sk     = 0, 20, 184
		activeEstablished  = 4 // BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB
		passiveEstablished = 5
	)
	peer := end{ip4: 24, ip6: 32, port: 64, network: true}
	local := end{ip4: 28, ip6: 48, port: 68}
	p := &program{maps: m}
	p.emit(asm.Mov.Reg(asm.R6, asm.R1), asm.LoadMem(asm.R2, asm.R6, op, asm.Word))
	p.emit(asm.JEq.Imm(asm.R2, activeEstablished, "established"), asm.JNE.Imm(asm.R2, passiveEstablished, "out"))
	p.at("established")
	p.loadPolicy("out")
	p.emit(asm.LoadMem(asm.R3, asm.R6, family, asm.Word))
	p.saveEnd(asm.R6, peer, stackPeer, stackPeerPort)
	p.saveEnd(asm.R6, local, stackLocal, stackLocalPort)
	p.emit(asm.LoadMem(asm.R2, asm.R6, sk, asm.DWord), asm.JEq.Imm(asm.R2, 0, "out"))
	p.socketValue(0)
	p.emit(asm.Mov.Reg(asm.R9, asm.R0))
	p.findRule("out")
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMode, asm.Word), asm.JEq.Imm(asm.R1, int32(Leave), "out"))
	p.emit(asm.Mov.Imm(asm.R7, 0)) // the results of all calls, which are 0 or negative
	keepAlive := new(platform.Spec)
	for _, s := range specs() {
		if s.Option == platform.KeepAlive {
			*keepAlive = s
		}
	}
	// Switched off first, nothing that follows starts a timer.
	p.setOption(keepAlive, asm.JNE)
	for _, s := range specs() {
		p.setOption(&s, asm.JEq)
	}
	p.count(countSockets)
	p.emit(asm.JEq.Imm(asm.R7, 0, "out"))
	p.count(countFailures)
	return &ebpf.ProgramSpec{Name: "ka_sock_ops", Type: ebpf.SockOps, AttachType: ebpf.AttachCGroupSockOps, Instructions: p.finish(), License: "GPL"}
}

// setOption sets an option as the rule demands. SO_KEEPALIVE is set in two places: it is
// skipped where skip is true of its value and 0.
func (p *program) setOption(s *platform.Spec, skip asm.JumpOp) {
	bit, index := int32(1<<s.Option), 4*int16(s.Option)
	set, done := p.newLabel(), p.newLabel()
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMostSet, asm.Word), asm.And.Imm(asm.R1, bit))
	p.emit(asm.LoadMem(asm.R3, asm.R8, offMost+index, asm.Word))
	p.emit(asm.Mov.Reg(asm.R5, asm.R1)) // whether the policy has a value
	p.emit(asm.LoadMem(asm.R2, asm.R8, offMode, asm.Word), asm.JEq.Imm(asm.R2, int32(Override), set), asm.JEq.Imm(asm.R9, 0, set))
	p.emit(asm.LoadMem(asm.R1, asm.R9, offAsked, asm.Word), asm.And.Imm(asm.R1, bit), asm.JEq.Imm(asm.R1, 0, set))
	p.emit(asm.JEq.Imm(asm.R2, int32(Default), done)) // the program's own value stays
	p.emit(asm.LoadMem(asm.R3, asm.R9, offValues+index, asm.Word))
	p.clamp(s.Option) // the bounds for this peer may be others than when the program asked
	p.emit(asm.Mov.Imm(asm.R5, 1))
	p.at(set)
	p.emit(asm.JEq.Imm(asm.R5, 0, done))
	if s.Option == platform.KeepAlive {
		p.emit(skip.Imm(asm.R3, 0, done))
	}
	p.emit(asm.StoreMem(asm.R10, stackValue, asm.R3, asm.Word))
	p.emit(
		asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Imm(asm.R2, int32(s.Level)), asm.Mov.Imm(asm.R3, int32(s.Number)),
		asm.Mov.Reg(asm.R4, asm.R10), asm.Add.Imm(asm.R4, stackValue), asm.Mov.Imm(asm.R5, 4),
		asm.FnSetsockopt.Call(), asm.Or.Reg(asm.R7, asm.R0),
	)
	p.at(done)
}

// The structure bpf_sockopt of linux/bpf.h.
const (
	sockoptSocket, sockoptValue, sockoptEnd, sockoptLevel, sockoptName, sockoptLength = 0, 8, 16, 24, 28, 32
)

// setsockopt replaces the value of a program's setsockopt, or remembers it.
func (m *maps) setsockopt() *ebpf.ProgramSpec {
	const family, protocol = 4, 12 // struct bpf_sock
	peer := end{ip4: 52, ip6: 56, port: 48, network: true}
	local := end{ip4: 24, ip6: 28, port: 44}
	p := &program{maps: m}
	p.emit(asm.Mov.Reg(asm.R6, asm.R1))
	p.emit(asm.LoadMem(asm.R2, asm.R6, sockoptLevel, asm.Word), asm.LoadMem(asm.R3, asm.R6, sockoptName, asm.Word))
	for _, s := range specs() {
		other := p.newLabel()
		p.emit(asm.JNE.Imm(asm.R2, int32(s.Level), other), asm.JEq.Imm(asm.R3, int32(s.Number), "ours"))
		p.at(other)
	}
	p.emit(asm.Ja.Label("pass"))
	p.at("ours")
	p.emit(asm.LoadMem(asm.R2, asm.R6, sockoptLength, asm.Word), asm.JLT.Imm(asm.R2, 4, "pass")) // the kernel refuses what is shorter than an int
	p.emit(asm.LoadMem(asm.R4, asm.R6, sockoptValue, asm.DWord), asm.LoadMem(asm.R5, asm.R6, sockoptEnd, asm.DWord))
	p.emit(asm.Mov.Reg(asm.R2, asm.R4), asm.Add.Imm(asm.R2, 4), asm.JGT.Reg(asm.R2, asm.R5, "pass"))
	p.emit(asm.LoadMem(asm.R1, asm.R4, 0, asm.Word), asm.StoreMem(asm.R10, stackValue, asm.R1, asm.Word))
	p.emit(asm.LoadMem(asm.R8, asm.R6, sockoptSocket, asm.DWord))
	p.emit(asm.LoadMem(asm.R2, asm.R8, protocol, asm.Word), asm.JEq.Imm(asm.R2, unix.IPPROTO_TCP, "tcp"), asm.JNE.Imm(asm.R2, unix.IPPROTO_MPTCP, "pass"))
	p.at("tcp")
	p.emit(asm.LoadMem(asm.R3, asm.R8, family, asm.Word), asm.JEq.Imm(asm.R3, unix.AF_INET, "ip"), asm.JNE.Imm(asm.R3, unix.AF_INET6, "pass"))
	p.at("ip")
	p.saveEnd(asm.R8, peer, stackPeer, stackPeerPort)
	p.saveEnd(asm.R8, local, stackLocal, stackLocalPort)
	p.loadPolicy("pass")
	p.emit(asm.Mov.Reg(asm.R2, asm.R8))
	p.socketValue(0)
	p.emit(asm.Mov.Reg(asm.R9, asm.R0))
	p.findRule("pass")
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMode, asm.Word), asm.JEq.Imm(asm.R1, int32(Leave), "pass"))
	p.emit(asm.LoadMem(asm.R2, asm.R6, sockoptLevel, asm.Word), asm.LoadMem(asm.R4, asm.R6, sockoptName, asm.Word))
	p.emit(asm.LoadMem(asm.R3, asm.R10, stackValue, asm.Word))
	for _, s := range specs() {
		other := p.newLabel()
		p.emit(asm.JNE.Imm(asm.R2, int32(s.Level), other), asm.JNE.Imm(asm.R4, int32(s.Number), other))
		p.decide(&s)
		p.at(other)
	}
	p.emit(asm.Ja.Label("pass"))

	p.at("rewrite") // R3 has the value
	p.emit(asm.LoadMem(asm.R4, asm.R6, sockoptValue, asm.DWord), asm.LoadMem(asm.R5, asm.R6, sockoptEnd, asm.DWord))
	p.emit(asm.Mov.Reg(asm.R2, asm.R4), asm.Add.Imm(asm.R2, 4), asm.JGT.Reg(asm.R2, asm.R5, "pass"))
	p.emit(asm.StoreMem(asm.R4, 0, asm.R3, asm.Word), asm.Mov.Imm(asm.R2, 4), asm.StoreMem(asm.R6, sockoptLength, asm.R2, asm.Word))
	p.count(countRewritten)
	p.emit(asm.Ja.Label("out"))

	p.at("failed")
	p.count(countFailures)
	// The program sees no more than a page of an option. Where it leaves a longer one alone,
	// it must say so by the length 0, or the kernel returns EFAULT (before Linux 6.5).
	p.at("pass")
	p.emit(asm.LoadMem(asm.R2, asm.R6, sockoptLength, asm.Word), asm.JLE.Imm(asm.R2, 4096, "out"))
	p.emit(asm.Mov.Imm(asm.R2, 0), asm.StoreMem(asm.R6, sockoptLength, asm.R2, asm.Word))
	return &ebpf.ProgramSpec{Name: "ka_setsockopt", Type: ebpf.CGroupSockopt, AttachType: ebpf.AttachCGroupSetsockopt, Instructions: p.finish(), License: "GPL"}
}

// decide ends with a jump: to rewrite with the value for the option in R3, or to pass.
func (p *program) decide(s *platform.Spec) {
	bit, index := int32(1<<s.Option), 4*int16(s.Option)
	remember := p.newLabel()
	if least, most := bounds(s); least > math.MinInt32 { // what the kernel refuses, it is to refuse
		p.emit(asm.JLT.Imm(asm.R3, least, "pass"), asm.JGT.Imm(asm.R3, most, "pass")) // a negative one is great here
	}
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMode, asm.Word), asm.JNE.Imm(asm.R1, int32(Override), remember))
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMostSet, asm.Word), asm.And.Imm(asm.R1, bit), asm.JEq.Imm(asm.R1, 0, "pass"))
	p.emit(asm.LoadMem(asm.R3, asm.R8, offMost+index, asm.Word), asm.Ja.Label("rewrite"))
	p.at(remember)
	p.emit(asm.LoadMem(asm.R2, asm.R6, sockoptSocket, asm.DWord))
	p.socketValue(create)
	p.emit(asm.JEq.Imm(asm.R0, 0, "failed"))
	p.emit(asm.LoadMem(asm.R1, asm.R0, offAsked, asm.Word), asm.Or.Imm(asm.R1, bit), asm.StoreMem(asm.R0, offAsked, asm.R1, asm.Word))
	p.emit(asm.LoadMem(asm.R3, asm.R10, stackValue, asm.Word), asm.StoreMem(asm.R0, offValues+index, asm.R3, asm.Word))
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMode, asm.Word), asm.JEq.Imm(asm.R1, int32(Default), "pass"))
	p.clamp(s.Option)
	p.emit(asm.LoadMem(asm.R1, asm.R10, stackValue, asm.Word), asm.JEq.Reg(asm.R1, asm.R3, "pass"), asm.Ja.Label("rewrite"))
}

// sockCreate notes which command makes a socket. Only here and in setsockopt is the current
// thread the program's: a handshake completes in whatever thread is interrupted.
func (m *maps) sockCreate() *ebpf.ProgramSpec {
	p := &program{maps: m}
	p.emit(asm.Mov.Reg(asm.R6, asm.R1))
	p.emit(asm.Mov.Reg(asm.R1, asm.R10), asm.Add.Imm(asm.R1, stackCommand), asm.Mov.Imm(asm.R2, commandSize), asm.FnGetCurrentComm.Call())
	p.emit(asm.Mov.Reg(asm.R2, asm.R6))
	p.socketValue(create)
	p.emit(asm.JEq.Imm(asm.R0, 0, "out"))
	for k := int16(0); k < commandSize; k += 4 {
		p.emit(asm.LoadMem(asm.R1, asm.R10, stackCommand+k, asm.Word), asm.StoreMem(asm.R0, k, asm.R1, asm.Word))
	}
	return &ebpf.ProgramSpec{Name: "ka_sock_create", Type: ebpf.CGroupSock, AttachType: ebpf.AttachCGroupInetSockCreate, Instructions: p.finish(), License: "GPL"}
}
