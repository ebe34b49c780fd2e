"""What trainers print, made with the format strings of their sources, as of late 2025.

Each run has its losses and rates by a formula, so that a test can say what must come out.
"""

LAST = 40


def loss(step):
    return 3 + 5 / (1 + step)


def rate(step):
    """Of update ``step``: linear warm-up of 10 updates, then linear to 0 at 40."""
    return 1e-3 * max(min(step / 10, (LAST - step) / 30), 0)


def llmc():
    """llm.c, ``llmc/logger.h``."""
    lines = []
    for s in range(LAST + 1):
        if s % 10 == 0:
            lines += [f"s:{s} tel:{loss(s) + 0.5:.4f}", f"s:{s} eval:0.2500"]
        if s < LAST:
            lines.append(f"s:{s} trl:{loss(s):.4f} lr:{rate(s + 1):.6f} norm:{1:.2f}")
    return lines


def llmc_python():
    """llm.c, ``train_gpt2.py``, and modded-nanogpt of June 2024."""
    lines = []
    for s in range(LAST + 1):
        if s % 10 == 0:
            lines.append(f"s:{s} tel:{loss(s) + 0.5:f}")
        if s < LAST:
            lines.append(f"s:{s} trl:{loss(s):f}")
    return lines


def modded_nanogpt():
    """modded-nanogpt, ``train_gpt2.py`` of November 2024; its source code comes first."""
    lines = [
        "import os",
        "with open(sys.argv[0]) as f:",
        "    code = f.read()",
        "    learning_rate : float = 0.0036",
        "    warmup_iters : int = 0",
        "    warmdown_iters : int = 10 # number of iterations of linear warmdown",
        "        print(f'step:{step+1}/{n} train_loss:{loss:.4f} train_time:{t:.0f}ms')",
        "=" * 100,
    ]
    for s in range(LAST + 1):
        average = "nan" if s < 12 else "213.12"
        tail = f"train_time:{213 * s:.0f}ms step_avg:{average}ms"
        if s:
            lines.append(f"step:{s}/{LAST} train_loss:{loss(s):.4f} {tail}")
        if s % 10 == 0:
            lines.append(f"step:{s}/{LAST} val_loss:{loss(s) + 0.5:.4f} {tail}")
    return lines


def nanogpt():
    """nanoGPT, ``train.py`` and ``configurator.py``."""
    lines = [
        "Overriding config with config/train_shakespeare_char.py:",
        "learning_rate = 1e-3 # with baby networks can afford to go a bit higher",
        "max_iters = 5000",
        "lr_decay_iters = 5000 # make equal to max_iters usually",
        "min_lr = 1e-4 # learning_rate / 10 usually",
        "warmup_iters = 100 # not super necessary potentially",
        "block_size = 256 # context of up to 256 previous characters",
        "Overriding: max_iters = 40",
        "tokens per iteration will be: 16,384",
        "number of parameters: 10.65M",
    ]
    for s in range(LAST + 1):
        if s % 20 == 0:
            lines.append(f"step {s}: train loss {loss(s):.4f}, val loss {loss(s) + 0.5:.4f}")
        lines.append(f"iter {s}: loss {loss(s):.4f}, time {1972.52:.2f}ms, mfu {-100:.2f}%")
    return lines


def llama2c():
    """llama2.c, ``train.py``."""
    lines = ["tokens per iteration will be: 131,072"]
    for s in range(LAST):
        if s % 20 == 0:
            lines.append(f"step {s}: train loss {loss(s):.4f}, val loss {loss(s) + 0.5:.4f}")
        lines.append(f"{s} | loss {loss(s):.4f} | lr {rate(s + 1):e} | 113.50ms | mfu 19.10%")
    return lines


def nanochat():
    """nanochat, ``scripts/base_train.py``."""
    lines = [
        "Tokens / micro-batch / rank: 32 x 2048 = 65,536",
        "Total batch size 524,288 => gradient accumulation steps: 1",
    ]
    for s in range(LAST + 1):
        if s % 20 == 0:
            lines.append(f"Step {s:05d} | Validation bpb: {loss(s) / 3:.6f}")
        if s < LAST:
            lines.append(
                f"step {s:05d}/{LAST:05d} ({100 * s / LAST:.2f}%) | loss: {loss(s):.6f} |"
                f" lrm: {rate(s + 1) * 1e3:.2f} | dt: 558.89ms | tok/sec: 58,679 | bf16_mfu: 0.00"
            )
    return lines


def torchtitan():
    """torchtitan, ``components/metrics.py`` with colours and ``train.py``."""
    lines = [
        "[rank0]:[titan] 2025-06-16 22:30:00,000 - root - INFO - Training starts at step 1, with"
        " local batch size 8, global batch size 64, sequence length 2048, total steps 40"
        " (warmup 10)"
    ]
    for s in (1, *range(5, LAST + 1, 5)):
        head = "[rank0]:[titan] 2025-06-16 22:30:50,322 - root - INFO - "
        lines.append(
            f"{head}\x1b[31mstep: {s:2}  \x1b[32mloss: {loss(s):7.4f}  \x1b[38;2;180;60;0m"
            f"grad_norm: {1.5:7.4f}  \x1b[36mmemory: 49.66GiB(52.28%)  \x1b[34mtps: 5,856  "
            "\x1b[36mtflops: 339.16  \x1b[35mmfu: 34.29%\x1b[39m"
        )
        if s % 20 == 0:
            lines.append(f"{head}Dumping profiler traces at step {s}")
            lines.append(
                f"{head}\x1b[33mvalidate step: {s:2}  \x1b[32mloss: {loss(s) + 0.5:7.4f}  "
                "\x1b[36mmemory: 49.66GiB(52.28%)  \x1b[34mtps: 5,856\x1b[39m"
            )
    return lines


def nanotron():
    """nanotron, ``trainer.py`` and ``logging/base.py``: three digits and a suffix."""
    lines = []
    for s in range(1, LAST + 1):
        tokens = f"{512 * s}" if s == 1 else f"{512 * s / 1e3:.3g}K"
        lines.append(
            f"08/31/2024 14:37:31 [INFO|DP=0|PP=0|TP=0]: iteration: {s} / {LAST} |"
            f" consumed_tokens: {tokens} | tokens_per_sec: 109K | global_batch_size: 2 |"
            f" lm_loss: {loss(s):.3g} | lr: {rate(s + 1):.3g} | model_tflops_per_gpu: 1.87e-05 |"
            " grad_norm: 2.96"
        )
        if s % 10 == 0:
            lines.append("08/31/2024 14:37:32 [WARNING|DP=0|PP=0|TP=0]: Saving checkpoint at c/10")
    return lines


def megatron(skipped=0):
    """Megatron-LM, ``training/training.py``, with a log interval of 5."""
    lines = [
        "------------------------ arguments ------------------------",
        "  lr_warmup_iters ................................. 10",
        "  seq_length ...................................... 2048",
        "  weight_decay .................................... 0.1",
    ]
    for s in range(5, LAST + 1, 5):
        lines.append(
            f" [2025-01-01 00:00:{s:02d}] iteration {s:8d}/{LAST:8d} | consumed samples:"
            f" {64 * s:12d} | elapsed time per iteration (ms): 4220.8 | learning rate:"
            f" {rate(s + 1) if s < LAST else 0:.6E} | global batch size: {64:5d} | lm loss:"
            f" {loss(s):.6E} | loss scale: 1.0 | grad norm: 0.231 | number of skipped iterations:"
            f" {skipped:3d} | number of nan iterations:   0 |"
        )
        if s % 20 == 0:
            lines += [
                "-" * 80,
                f" validation loss at iteration {s} | lm loss value: {loss(s) + 0.5:.6E} |"
                f" lm loss PPL: 2.0E+01 | ",
                "-" * 80,
            ]
    lines.append(
        f" validation loss at iteration {LAST} on test set | lm loss value: 3.000000E+00 |"
        " lm loss PPL: 2.0E+01 | "
    )
    return lines


def megatron_deepspeed():
    """Megatron-DeepSpeed, ``megatron/training.py``, and DeepSpeed's own lines."""
    lines = []
    for s in range(1, LAST + 1):
        lines += [
            "[2023-08-15 06:31:42,452] [INFO] [logging.py:96:log_dist] [Rank 0]"
            f" step={s}, skipped=1, lr=[{rate(s)}, {rate(s)}], mom=[(0.9, 0.95), (0.9, 0.95)]",
            f"steps: {s} loss: {loss(s):.4f} iter time (s): 4.218 samples/sec: 7.586",
            f" iteration {s:8d}/{LAST:8d} | consumed samples: {32 * s:12d} | consumed tokens:"
            f" {65536 * s:12d} | elapsed time per iteration (ms): 4220.8 | learning rate:"
            f" {rate(s + 1) if s < LAST else 0:.3E} | global batch size: {32:5d} | lm loss:"
            f" {loss(s):.6E} | loss scale: 32768.0 | grad norm: 0.000 | num zeros: 0.0 |"
            f" actual seqlen: {2048:5d} | number of skipped iterations:   0 | number of nan"
            " iterations:   0 | samples per second: 7.582 | TFLOPs: 16.98 |",
        ]
    return lines


def olmo_float(value):
    """``format_float`` of olmo_core 3.0, for the sizes that occur here."""
    if value == 0:
        return "0.0"
    if value < 1e-4:
        return f"{value:.2E}"
    return f"{int(value):,d}" if value >= 1000 else f"{value:.{3 if value > 1 else 4}f}"


def olmo_core():
    """OLMo-core 3.0, ``callbacks/console_logger.py`` and ``callbacks/evaluator_callback.py``."""
    head = "2025-08-08 12:00:00 INFO [olmo_core.train.callbacks.console_logger:68] "
    lines = ["2025-08-08 12:00:00 INFO [olmo_core.train.trainer:734] Training for 40 steps"]
    for s in (1, *range(5, LAST + 1, 5)):
        lines += [
            f"{head}[step={s}/{LAST},epoch=1,eta=5h11m]",
            f"    train/CE loss={olmo_float(loss(s))}",
            "    train/PPL=511.9",
            f"    optim/LR (group 0)={olmo_float(rate(s) / 20)}",
            f"    throughput/total tokens={olmo_float(1000 * s)}",
        ]
        if s % 20 == 0:
            lines += ["Finished lm evals in 9.1 seconds. Metrics:", "    c4-validation/CE loss=3.1"]
    return lines


def maxtext():
    """MaxText, ``metric_logger.py`` and ``pyconfig.py``."""
    lines = [
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param learning_rate: 0.0003",
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param learning_rate_final_fraction: 0.1",
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param learning_rate_schedule_steps: 40",
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param max_target_length: 2048",
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param steps: 40",
        "I0317 09:59:16.240957 1 pyconfig.py:413] Config param warmup_steps_fraction: 0.25",
        "number parameters: 1.104 billion",
    ]
    for s in range(LAST):
        lines.append(
            f"completed step: {s}, seconds: 5.668, TFLOP/s/device: 134.909,"
            f" Tokens/s/device: 8671.794, total_weights: 196608, loss: {loss(s + 1):.3f}"
        )
        if s % 20 == 19:
            lines.append(
                f"eval metrics after step: {s}, loss={loss(s + 1) + 0.5:.3f},"
                " total_weights=196608.0"
            )
    return lines


PRINTED = {
    "llm.c main.log": llmc,
    "llm.c main.log (no rates)": llmc_python,
    "modded-nanogpt": modded_nanogpt,
    "nanoGPT": nanogpt,
    "nanoGPT (llama2.c)": llama2c,
    "nanochat": nanochat,
    "torchtitan": torchtitan,
    "nanotron": nanotron,
    "Megatron-LM": megatron,
    "Megatron-DeepSpeed": megatron_deepspeed,
    "OLMo-core": olmo_core,
    "MaxText": maxtext,
}
