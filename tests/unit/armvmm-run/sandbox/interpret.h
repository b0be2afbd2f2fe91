/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs seccomp filters. For test_sandbox.c. */
#ifndef SANDBOX_INTERPRET_H
#define SANDBOX_INTERPRET_H

/* Runs the filter as the kernel does (Documentation/networking/filter.rst). Returns its answer. */
static uint32_t interpret(const struct sock_fprog *prog, const struct seccomp_data *data,
			  unsigned int *steps)
{
	uint32_t a = 0;

	for (unsigned int pc = 0; pc < prog->len; pc++) {
		const struct sock_filter *f = &prog->filter[pc];

		++*steps;
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + f->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			KTAP_FAIL("an instruction that is not known here: 0x%x", f->code);
			return 0;
		}
	}
	KTAP_FAIL("a filter without an end");
	return 0;
}

#endif
