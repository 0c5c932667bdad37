package platform

// What the tests in platform_test cannot reach from outside.
var Nothing = nothing
