"""Loads an exported adapter with PEFT alone and answers greedily: argv is base folder, adapter folder, messages."""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base_folder, adapter_folder, messages = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
torch.set_num_threads(1)
tokenizer = AutoTokenizer.from_pretrained(base_folder)
base = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.float32)
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)


def answer(model: torch.nn.Module) -> str:
    ids = model.generate(**prompt, do_sample=False, max_new_tokens=24)[0]
    return tokenizer.decode(ids[prompt["input_ids"].shape[1] :], skip_special_tokens=True).strip()


plain = answer(base)
tuned = answer(PeftModel.from_pretrained(base, adapter_folder).eval())
print(json.dumps({"base": plain, "adapter": tuned}))
