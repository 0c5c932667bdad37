package platform

// What the tests in platform_test cannot reach from outside.
var (
	Nothing               = &nothing
	SolarisIsBefore114    = solarisIsBefore114
	DragonflySecondsSince = dragonflySecondsSince
)

func (u Unit) ToKernel(value int64) int64 { return u.toKernel(value) }
func (u Unit) FromKernel(n int64) int64   { return u.fromKernel(n) }
