package enforce

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/cilium/ebpf/asm"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Both programs have the same registers and stack:
//
//	R6 context   R7 the policy   R8 the rule   R9 the socketValue, or 0
const (
	stackKey       = -4  // of a map
	stackValue     = -8  // of an option
	stackPeer      = -24 // address, as in addressValue
	stackLocal     = -40
	stackPeerPort  = -44 // host byte order
	stackLocalPort = -48
	stackCommand   = -64
)

// Offsets in the structures of layout_linux.go.
const (
	offCount      = int16(unsafe.Offsetof(policyValue{}.Count))
	offRules      = int16(unsafe.Offsetof(policyValue{}.Rules))
	offConditions = int16(unsafe.Offsetof(ruleValue{}.Conditions))
	offMode       = int16(unsafe.Offsetof(ruleValue{}.Mode))
	offMostSet    = int16(unsafe.Offsetof(ruleValue{}.MostSet))
	offLeastSet   = int16(unsafe.Offsetof(ruleValue{}.LeastSet))
	offMost       = int16(unsafe.Offsetof(ruleValue{}.Most))
	offLeast      = int16(unsafe.Offsetof(ruleValue{}.Least))
	offPeer       = int16(unsafe.Offsetof(ruleValue{}.Peer))
	offLocal      = int16(unsafe.Offsetof(ruleValue{}.Local))
	offPeerLow    = int16(unsafe.Offsetof(ruleValue{}.PeerLow))
	offLocalLow   = int16(unsafe.Offsetof(ruleValue{}.LocalLow))
	offCommand    = int16(unsafe.Offsetof(ruleValue{}.Command))
	offAsked      = int16(unsafe.Offsetof(socketValue{}.Asked))
	offValues     = int16(unsafe.Offsetof(socketValue{}.Values))
)

// A program is assembled instruction by instruction. Its labels have numbers.
type program struct {
	asm.Instructions
	maps   *maps
	label  string // of the next instruction
	labels int
}

func (p *program) emit(ins ...asm.Instruction) {
	if p.label != "" {
		ins[0] = ins[0].WithSymbol(p.label)
		p.label = ""
	}
	p.Instructions = append(p.Instructions, ins...)
}

// at gives the next instruction a label. Two labels for one instruction need one that does
// nothing in between.
func (p *program) at(label string) {
	if p.label != "" {
		p.emit(asm.Mov.Reg(asm.R6, asm.R6))
	}
	p.label = label
}

func (p *program) newLabel() string {
	p.labels++
	return fmt.Sprint("l", p.labels)
}

// finish ends the program: the kernel goes on.
func (p *program) finish() asm.Instructions {
	p.at("out")
	p.emit(asm.Mov.Imm(asm.R0, 1), asm.Return())
	return p.Instructions
}

// lookup leaves the value of an element of the map in R1 in R0, or jumps.
func (p *program) lookup(index int64, none string) {
	p.emit(
		asm.StoreImm(asm.R10, stackKey, index, asm.Word),
		asm.Mov.Reg(asm.R2, asm.R10), asm.Add.Imm(asm.R2, stackKey),
		asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, none),
	)
}

// loadPolicy leaves the policy in R7, or jumps if there is none.
func (p *program) loadPolicy(none string) {
	p.emit(asm.LoadMapPtr(asm.R1, p.maps.current.FD()))
	p.lookup(0, none)
	p.emit(asm.Mov.Reg(asm.R1, asm.R0))
	p.lookup(0, none)
	p.emit(asm.Mov.Reg(asm.R7, asm.R0))
}

// count adds 1 to a counter. An interrupt may count on the same CPU in the meantime.
func (p *program) count(index int64) {
	done := p.newLabel()
	p.emit(asm.LoadMapPtr(asm.R1, p.maps.counters.FD()))
	p.lookup(index, done)
	p.emit(asm.Mov.Imm(asm.R1, 1), asm.StoreXAdd(asm.R0, asm.R1, asm.DWord))
	p.at(done)
}

// socketValue leaves what is remembered about the socket in R2 in R0, or 0. The context has
// to be saved.
func (p *program) socketValue(flags int32) {
	p.emit(asm.LoadMapPtr(asm.R1, p.maps.sockets.FD()), asm.Mov.Imm(asm.R3, 0), asm.Mov.Imm(asm.R4, flags), asm.FnSkStorageGet.Call())
}

const create = 1 // BPF_SK_STORAGE_GET_F_CREATE

// An end says where the addresses of one end of the connection are, from a register.
type end struct {
	ip4, ip6, port int16
	network        bool // the port is in network byte order
}

// saveEnd puts an address and port where findRule looks for them. The register is that of
// the structure, R3 has the family.
func (p *program) saveEnd(from asm.Register, e end, address, port int16) {
	six, ports := p.newLabel(), p.newLabel()
	p.emit(
		asm.JNE.Imm(asm.R3, 2, six), // AF_INET
		asm.StoreImm(asm.R10, address, 0, asm.Word), asm.StoreImm(asm.R10, address+4, 0, asm.Word),
		asm.StoreImm(asm.R10, address+8, int64(int32(binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff}))), asm.Word),
		asm.LoadMem(asm.R1, from, e.ip4, asm.Word), asm.StoreMem(asm.R10, address+12, asm.R1, asm.Word),
		asm.Ja.Label(ports),
	)
	p.at(six)
	for i := range int16(4) {
		p.emit(asm.LoadMem(asm.R1, from, e.ip6+4*i, asm.Word), asm.StoreMem(asm.R10, address+4*i, asm.R1, asm.Word))
	}
	p.at(ports)
	p.emit(asm.LoadMem(asm.R1, from, e.port, asm.Word))
	if e.network {
		// Kernels differ in which half of the word has it; the other one is 0.
		p.emit(asm.Mov.Reg(asm.R2, asm.R1), asm.RSh.Imm(asm.R2, 16), asm.Or.Reg(asm.R1, asm.R2), asm.HostTo(asm.BE, asm.R1, asm.Half))
	}
	p.emit(asm.StoreMem(asm.R10, port, asm.R1, asm.Word))
}

// findRule leaves the first rule that fits in R8, or jumps.
func (p *program) findRule(none string) {
	hit := p.newLabel()
	for i := range int32(MaxRules) {
		next := p.newLabel()
		p.emit(asm.LoadMem(asm.R1, asm.R7, offCount, asm.Word), asm.JLE.Imm(asm.R1, i, none))
		p.emit(asm.Mov.Reg(asm.R8, asm.R7), asm.Add.Imm(asm.R8, int32(offRules)+i*int32(ruleSize)))
		p.emit(asm.LoadMem(asm.R1, asm.R8, offConditions, asm.Word), asm.JEq.Imm(asm.R1, 0, hit))
		p.when(byPeer, func() { p.compareAddress(stackPeer, offPeer, next) })
		p.when(byPeerPort, func() { p.comparePort(stackPeerPort, offPeerLow, next) })
		p.when(byLocal, func() { p.compareAddress(stackLocal, offLocal, next) })
		p.when(byLocalPort, func() { p.comparePort(stackLocalPort, offLocalLow, next) })
		p.when(byCommand, func() {
			p.emit(asm.JEq.Imm(asm.R9, 0, next))
			for k := int16(0); k < commandSize; k += 4 {
				p.emit(asm.LoadMem(asm.R3, asm.R9, k, asm.Word), asm.LoadMem(asm.R4, asm.R8, offCommand+k, asm.Word), asm.JNE.Reg(asm.R3, asm.R4, next))
			}
		})
		p.emit(asm.Ja.Label(hit))
		p.at(next)
	}
	p.emit(asm.Ja.Label(none))
	p.at(hit)
}

// when runs a comparison only for a rule that has the condition. R1 has its conditions.
func (p *program) when(condition int32, compare func()) {
	without := p.newLabel()
	p.emit(asm.Mov.Reg(asm.R2, asm.R1), asm.And.Imm(asm.R2, condition), asm.JEq.Imm(asm.R2, 0, without))
	compare()
	p.at(without)
}

func (p *program) compareAddress(stack, address int16, differs string) {
	for k := int16(0); k < 16; k += 4 {
		p.emit(
			asm.LoadMem(asm.R3, asm.R10, stack+k, asm.Word), asm.LoadMem(asm.R4, asm.R8, address+16+k, asm.Word), asm.And.Reg(asm.R3, asm.R4),
			asm.LoadMem(asm.R4, asm.R8, address+k, asm.Word), asm.JNE.Reg(asm.R3, asm.R4, differs),
		)
	}
}

func (p *program) comparePort(stack, low int16, differs string) {
	p.emit(
		asm.LoadMem(asm.R3, asm.R10, stack, asm.Word),
		asm.LoadMem(asm.R4, asm.R8, low, asm.Word), asm.JLT.Reg(asm.R3, asm.R4, differs),
		asm.LoadMem(asm.R4, asm.R8, low+4, asm.Word), asm.JGT.Reg(asm.R3, asm.R4, differs),
	)
}

// clamp brings the value of an option in R3 within the bounds of the rule.
func (p *program) clamp(o platform.Option) {
	bit, index := int32(1<<o), 4*int16(o)
	done, least := p.newLabel(), p.newLabel()
	p.emit(asm.LoadMem(asm.R1, asm.R8, offMostSet, asm.Word), asm.And.Imm(asm.R1, bit), asm.JEq.Imm(asm.R1, 0, least))
	p.emit(asm.LoadMem(asm.R2, asm.R8, offMost+index, asm.Word))
	switch o {
	case platform.KeepAlive:
		p.emit(asm.Mov.Reg(asm.R3, asm.R2))
	case platform.UserTimeout: // 0 is off, the longest
		longer := p.newLabel()
		p.emit(asm.JEq.Imm(asm.R3, 0, longer), asm.JLE.Reg(asm.R3, asm.R2, least))
		p.at(longer)
		p.emit(asm.Mov.Reg(asm.R3, asm.R2))
	default:
		p.emit(asm.JLE.Reg(asm.R3, asm.R2, least), asm.Mov.Reg(asm.R3, asm.R2))
	}
	p.at(least)
	p.emit(asm.LoadMem(asm.R1, asm.R8, offLeastSet, asm.Word), asm.And.Imm(asm.R1, bit), asm.JEq.Imm(asm.R1, 0, done))
	if o == platform.UserTimeout {
		p.emit(asm.JEq.Imm(asm.R3, 0, done))
	}
	p.emit(asm.LoadMem(asm.R2, asm.R8, offLeast+index, asm.Word), asm.JGE.Reg(asm.R3, asm.R2, done), asm.Mov.Reg(asm.R3, asm.R2))
	p.at(done)
}

// specs are the options in the order in which they must be set.
func specs() []platform.Spec { return kernel.Limits().Specs }

// bounds are the values that the kernel takes for an option; it refuses others.
func bounds(s *platform.Spec) (least, most int32) {
	if s.Option == platform.KeepAlive {
		return math.MinInt32, math.MaxInt32
	}
	least = int32(s.Min)
	if s.Zero == "off" {
		least = 0
	}
	return least, int32(s.Max)
}
