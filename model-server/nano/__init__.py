"""nano-1m: a Llama of about one million parameters, trained from generated text.

lexicon/*.txt -> intents -> tool sets -> conversations -> token ids -> train -> model folder
"""
